import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, parseReference } from "../../src/index.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("references are read as docker reads them", () => {
  test.each([
    ["debian", "docker.io/library/debian:latest"],
    ["debian:12", "docker.io/library/debian:12"],
    ["team/tool", "docker.io/team/tool:latest"],
    ["docker.io/debian", "docker.io/library/debian:latest"],
    ["index.docker.io/debian", "docker.io/library/debian:latest"],
    ["localhost/tool", "localhost/tool:latest"],
    ["localhost:5000/tool", "localhost:5000/tool:latest"],
    ["Host/tool", "Host/tool:latest"],
    ["ghcr.io/a/b/c__d-e.f:v1", "ghcr.io/a/b/c__d-e.f:v1"],
    ["[::1]:5000/tool:x", "[::1]:5000/tool:x"],
    ["127.0.0.1:5000/tool", "127.0.0.1:5000/tool:latest"],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`],
  ])("%s", (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
    expect(parseReference(full)).toEqual(parseReference(text));
  });
});

describe("what is no reference is refused in one sentence", () => {
  test.each([
    ["", /empty/],
    ["Debian", /lower case/],
    ["a//b", /not a name/],
    ["a/", /not a name|no image name/],
    ["localhost:5000/", /no image name/],
    ["debian:", /not a tag/],
    ["debian:-x", /not a tag/],
    [`debian:${"x".repeat(129)}`, /not a tag/],
    ["debian@sha256:12", /not a digest/],
    ["debian@md5:12", /not a digest/],
    [`debian@${digest}@${digest}`, /more than one @/],
    ["a___b", /not a name/],
    ["host:port/x", /not a host/],
    ["-x.com/a", /not a host/],
    ["a b", /not a name/],
  ])("%j", (text, reason) => {
    expect(() => parseReference(text)).toThrowError(reason);
    expect(() => parseReference(text)).toThrowError(expect.objectContaining({ code: "ANYPROC_REFERENCE_INVALID" }));
  });
});

test("any text is read or refused, and what is read is read again the same way", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "B", "1", ".", "-", "_", "/", ":", "@", "[", "]", " "),
    maxLength: 30,
  });
  fc.assert(
    fc.property(text, (input) => {
      let parsed: ReturnType<typeof parseReference>;
      try {
        parsed = parseReference(input);
      } catch (error) {
        expect(error).toMatchObject({ code: "ANYPROC_REFERENCE_INVALID" });
        return;
      }
      expect(parseReference(formatReference(parsed))).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
});
