import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenges } from "../../src/registry/challenge.ts";

test.each([
  [
    'Bearer realm="https://a/token",service="r",scope="repository:x:pull,push"',
    [{ scheme: "bearer", parameters: { realm: "https://a/token", service: "r", scope: "repository:x:pull,push" } }],
  ],
  ['Basic realm="a \\"quoted\\" name"', [{ scheme: "basic", parameters: { realm: 'a "quoted" name' } }]],
  [
    "Negotiate, BASIC realm=x , charset = UTF-8",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x", charset: "UTF-8" } },
    ],
  ],
  ["", []],
  ["=", []],
])("%s", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test("any header is read to its end", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "B", '"', "\\", "=", ",", " ", "é") }), (header) => {
      expect(Array.isArray(parseChallenges(header))).toBe(true);
    }),
  );
});
