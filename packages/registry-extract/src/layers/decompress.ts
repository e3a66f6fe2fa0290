import zlib from "node:zlib";
import { invalidArchive } from "@anyproc/core/tar";
import { imageError, reasonOf } from "../errors.ts";
import type { BlobReader } from "./blob-reader.ts";
import { decompressInPool } from "./decompress-in-pool.ts";
import { decompressThrough } from "./decompress-through.ts";
import { memoryShares } from "./limits.ts";
import type { NativeFiles } from "./native-files.ts";
import { ZstdFrameSplitter } from "./zstd-frames.ts";

/** How a layer is compressed. */
export type Compression = "none" | "gzip" | "zstd";

/**
 * Finds the compression by the first bytes, whatever the media type says.
 *
 * @throws ANYPROC_ARCHIVE_INVALID for one that layers do not have
 */
export function detectCompression(start: Buffer): Compression {
  const magic = start.subarray(0, 6).toString("hex");
  if (magic.startsWith("1f8b")) return "gzip";
  // RFC 8878: a frame, or a skippable frame, which zstd:chunked may begin with.
  if (magic.startsWith("28b52ffd") || /^5[0-9a-f]2a4d18/.test(magic)) return "zstd";
  const other = magic.startsWith("fd377a585a00") ? "xz" : magic.startsWith("425a68") ? "bzip2" : undefined;
  if (other) {
    throw imageError("ANYPROC_ARCHIVE_INVALID", `it is compressed with ${other}: use gzip, zstd or no compression`);
  }
  return "none";
}

/** The content of a blob without its compression. */
export interface Decompressed {
  readonly compression: Compression;
  /** Pieces of the content: each is good until the next is asked for. @throws ANYPROC_ARCHIVE_INVALID */
  readonly chunks: AsyncGenerator<Buffer>;
}

/** How a blob is decompressed. */
export interface DecompressOptions {
  readonly native?: NativeFiles | undefined;
  /** The largest window that zstd may want, in bits of its size. @default what 200 MB of memory allow */
  readonly windowLog?: number;
}

/** Takes a blob out of its compression. @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_IMAGE_LIMIT */
export async function decompress(
  reader: BlobReader,
  { native, windowLog = memoryShares({}).windowLog }: DecompressOptions = {},
): Promise<Decompressed> {
  const first = await reader.read();
  const compression = first === undefined ? "none" : detectCompression(first);
  const chunks =
    first === undefined || compression === "none"
      ? plain(first, reader)
      : packed(compression, first, reader, { native, windowLog });
  return { compression, chunks };
}

async function* plain(first: Buffer | undefined, reader: BlobReader): AsyncGenerator<Buffer> {
  for (let chunk = first; chunk !== undefined; chunk = await reader.read()) yield chunk;
}

async function* packed(
  compression: Exclude<Compression, "none">,
  first: Buffer,
  reader: BlobReader,
  options: Required<DecompressOptions>,
): AsyncGenerator<Buffer> {
  try {
    yield* decoder(compression, first, reader, options);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!/^(?:Z_|ZSTD_|ERR_)/.test(code)) throw error;
    // zstd's own words, whoever brings the decoder along.
    if (reasonOf(error).startsWith("Frame requires too much memory")) throw windowTooLarge(options.windowLog);
    throw invalidArchive(`its ${compression} data is wrong: ${reasonOf(error)}`);
  }
}

function windowTooLarge(windowLog: number): Error {
  return imageError(
    "ANYPROC_IMAGE_LIMIT",
    `it takes more than ${2 ** windowLog / 1024 ** 2} MiB of memory to decompress: if that is meant, raise maxMemoryBytes`,
  );
}

async function* decoder(
  compression: Exclude<Compression, "none">,
  first: Buffer,
  reader: BlobReader,
  { native, windowLog }: Required<DecompressOptions>,
): AsyncGenerator<Buffer> {
  const decompressor = native?.createDecompressor(compression, windowLog);
  if (native && decompressor) {
    yield* decompressInPool(native, decompressor, first, reader);
  } else if (compression === "gzip") {
    yield* decompressThrough(
      (options) => zlib.createGunzip(options),
      first,
      reader,
      (chunk) => [chunk],
    );
  } else if ("createZstdDecompress" in zlib) {
    const frames = new ZstdFrameSplitter();
    const params = { [zlib.constants.ZSTD_d_windowLogMax]: windowLog };
    yield* decompressThrough(
      (options) => zlib.createZstdDecompress({ ...options, params }),
      first,
      reader,
      (chunk) => frames.split(chunk),
    );
    // Node.js 22 ends without a word where the data does.
    if (frames.isCutShort) throw invalidArchive("its zstd data is cut short");
  } else {
    const { decompressZstd } = await import("./decompress-zstd.ts");
    yield* decompressZstd(first, reader);
  }
}
