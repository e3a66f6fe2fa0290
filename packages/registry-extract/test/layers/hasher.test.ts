import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/image/digest.ts";
import { createHasher } from "../../src/layers/hasher.ts";
import { loadNativeFiles } from "../../src/layers/native-files.ts";

const native = loadNativeFiles();
const kinds = [["node:crypto", undefined] as const, ...(native ? [["the addon", native] as const] : [])];

describe.each(kinds)("%s", (_, addon) => {
  test.each(["sha256", "sha512"])("%s of pieces is that of everything", async (algorithm) => {
    const pieces = fc.array(fc.tuple(fc.uint8Array({ maxLength: 5000 }), fc.boolean()), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const hasher = createHasher(algorithm, addon);
        for (const [bytes, isSync] of parts) {
          if (isSync) hasher.updateSync(Buffer.from(bytes));
          else await hasher.update(Buffer.from(bytes));
        }
        expect(hasher.digest()).toBe(digestOf(Buffer.concat(parts.map(([bytes]) => bytes)), algorithm));
      }),
      { numRuns: 30 },
    );
  });

  test("several go on at once", async () => {
    const data = Array.from({ length: 8 }, (_unused, index) => Buffer.alloc(300_000, index));
    const digests = await Promise.all(
      data.map(async (bytes) => {
        const hasher = createHasher("sha256", addon);
        await hasher.update(bytes);
        return hasher.digest();
      }),
    );
    expect(digests).toEqual(data.map((bytes) => digestOf(bytes)));
  });
});

test.skipIf(!native)("the addon knows no other algorithm than Node.js does", () => {
  expect(native?.createHash("no-such-hash")).toBeUndefined();
});
