import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { platformScore } from "../../src/image/platform.ts";
import { formatPlatform, inspectImage, parsePlatform, pullImage } from "../../src/index.ts";
import { type MemoryImage, makeImage, makeIndex, writeLayout } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { listFiles } from "../fixtures/tree.ts";

test.each([
  ["linux/amd64", "linux/amd64"],
  ["arm64", "linux/arm64"],
  ["aarch64", "linux/arm64"],
  ["linux/x86_64", "linux/amd64"],
  ["Linux/ARM/V7", "linux/arm/v7"],
])("%s", (text, formatted) => {
  expect(formatPlatform(parsePlatform(text))).toBe(formatted);
});

test.each(["", "a/b/c/d", "linux/", "linux/arm/v7 "])("%j is no platform", (text) => {
  expect(() => parsePlatform(text)).toThrowError(/write OS\/ARCHITECTURE/);
});

test.each([
  ["linux/arm/v8", ["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"], "linux/arm/v7"],
  ["linux/arm/v7", ["linux/arm/v8", "linux/arm"], "linux/arm"],
  ["linux/arm", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm/v6", ["linux/arm/v7"], undefined],
  ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], "linux/arm64/v8"],
  ["linux/amd64", ["linux/amd64/v3", "linux/386"], undefined],
  ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
  ["linux/amd64", ["windows/amd64"], undefined],
])("%s out of %j takes %s", (wanted, offered, expected) => {
  const scores = offered.map((text) => ({ text, score: platformScore(parsePlatform(wanted), parsePlatform(text)) }));
  const best = scores.filter(({ score }) => score !== undefined).sort((a, b) => Number(b.score) - Number(a.score))[0];
  expect(best?.text).toBe(expected);
});

describe("an index", () => {
  const named = (platform: string): MemoryImage =>
    makeImage([[{ path: "platform", content: platform }]], { platform: parsePlatform(platform) });
  const attestation = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"0".repeat(64)}`,
    size: 1,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };

  function layout(image: MemoryImage): { readonly reference: string; readonly directory: string } {
    const directory = temporaryDirectory();
    writeLayout(join(directory, "layout"), { image });
    return { reference: `oci:${join(directory, "layout")}:image`, directory };
  }

  test("gives the wanted platform, through nested indexes and past attestations", async () => {
    const nested = makeIndex([makeIndex([named("linux/arm/v7")]), named("linux/riscv64")], [attestation]);
    const { reference, directory } = layout(nested);
    for (const platform of ["linux/arm/v7", "linux/riscv64"]) {
      const target = join(directory, platform.replaceAll("/", "-"));
      await pullImage(reference, target, { platform, cacheDirectory: join(directory, "cache") });
      expect(listFiles(target)).toEqual({ platform });
    }
    const { platforms } = await inspectImage(reference, { platform: "linux/riscv64" });
    expect(platforms.map(formatPlatform)).toEqual(["linux/arm/v7", "linux/riscv64"]);
  });

  test("without the wanted platform, says what there is", async () => {
    const { reference } = layout(makeIndex([named("linux/arm/v7"), named("linux/s390x")], [attestation]));
    await expect(inspectImage(reference, { platform: "linux/amd64" })).rejects.toMatchObject({
      code: "ANYPROC_PLATFORM_NOT_FOUND",
      message: expect.stringContaining("there is linux/arm/v7, linux/s390x"),
    });
  });

  test("an image of another platform is not taken for this one's in silence", async () => {
    const { reference } = layout(named("linux/s390x"));
    await expect(inspectImage(reference, { platform: "linux/amd64" })).rejects.toThrowError(/is for linux\/s390x/);
    await expect(inspectImage(reference, { platform: "linux/s390x" })).resolves.toMatchObject({
      totalBytes: expect.any(Number),
    });
  });
});
