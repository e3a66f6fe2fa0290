import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlobReader } from "../../src/layers/blob-reader.ts";
import { decompress } from "../../src/layers/decompress.ts";
import { loadNativeFiles, type NativeFiles } from "../../src/layers/native-files.ts";
import { hasProgram } from "../fixtures/programs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";

const native = loadNativeFiles();
const ways = [["Node.js", undefined] as const, ...(native ? [["the addon", native] as const] : [])];

const hasZstd = hasProgram("zstd");
const zstd = (bytes: Buffer): Buffer => spawnSync("zstd", ["-q", "-c"], { input: bytes, maxBuffer: 1e9 }).stdout;
const formats = [["gzip", zlib.gzipSync] as const, ...(hasZstd ? [["zstd", zstd] as const] : [])];

// More than fits into any buffer on the way, and little when it is compressed.
const monotonous = Buffer.alloc(10_000_000, "much the same again and again ");
const varied = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2_654_435_761) >>> 20).join(" "));

async function decompressed(bytes: Buffer, addon: NativeFiles | undefined): Promise<Buffer> {
  const path = join(temporaryDirectory(), "blob");
  writeFileSync(path, bytes);
  const reader = new BlobReader({ path, offset: 0, size: bytes.length, growth: undefined, digest: undefined }, addon);
  try {
    const pieces: Buffer[] = [];
    for await (const chunk of (await decompress(reader, { native: addon })).chunks) pieces.push(Buffer.from(chunk));
    return Buffer.concat(pieces);
  } finally {
    reader.close();
  }
}

describe.each(ways)("with %s", (_, addon) => {
  describe.each(formats)("%s", (_format, compress) => {
    test("large content, and several members or frames in a row", async () => {
      const parts = [monotonous, varied, Buffer.alloc(0), Buffer.from("end")];
      const result = await decompressed(Buffer.concat(parts.map((part) => compress(part))), addon);
      expect(result.equals(Buffer.concat(parts))).toBe(true);
    });

    test("what is cut short anywhere is refused", async () => {
      const whole = compress(varied);
      // The first bytes say what it is.
      const lengths = fc.integer({ min: 8, max: whole.length - 1 });
      await fc.assert(
        fc.asyncProperty(lengths, async (length) => {
          await expect(decompressed(whole.subarray(0, length), addon)).rejects.toMatchObject({
            code: "ANYPROC_ARCHIVE_INVALID",
          });
        }),
        { numRuns: 15, examples: [[whole.length - 1], [8]] },
      );
    });

    test("what is damaged anywhere is refused", async () => {
      const whole = compress(varied);
      // What comes before in a gzip header, such as a time, is nobody's concern.
      const places = fc.integer({ min: 10, max: whole.length - 1 });
      await fc.assert(
        fc.asyncProperty(places, async (place) => {
          const damaged = Buffer.from(whole);
          damaged[place] = (damaged[place] as number) ^ 0x55;
          await expect(decompressed(damaged, addon)).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
        }),
        { numRuns: 15 },
      );
    });
  });

  test("zeros after gzip are no member", async () => {
    const padded = Buffer.concat([zlib.gzipSync("content"), Buffer.alloc(1_000_000)]);
    expect((await decompressed(padded, addon)).toString()).toBe("content");
  });
});
