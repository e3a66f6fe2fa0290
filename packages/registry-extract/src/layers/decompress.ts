import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { invalidArchive } from "@anyproc/core/tar";
import { release } from "../buffers.ts";
import { imageError, reasonOf } from "../errors.ts";
import type { BlobReader } from "./blob-reader.ts";
import { ZstdFrameSplitter } from "./zstd-frames.ts";

/** How a layer is compressed. */
export type Compression = "none" | "gzip" | "zstd";

const outputBytes = 128 * 1024;
// Room for the thread pool to work ahead of the one that unpacks.
const aheadBytes = 512 * 1024;

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

/** Takes a blob out of its compression. @throws ANYPROC_ARCHIVE_INVALID */
export async function decompress(reader: BlobReader): Promise<Decompressed> {
  const first = await reader.read();
  const compression = first === undefined ? "none" : detectCompression(first);
  const chunks =
    first === undefined || compression === "none" ? plain(first, reader) : packed(compression, first, reader);
  return { compression, chunks };
}

async function* plain(first: Buffer | undefined, reader: BlobReader): AsyncGenerator<Buffer> {
  for (let chunk = first; chunk !== undefined; chunk = await reader.read()) yield chunk;
}

async function* packed(
  compression: Exclude<Compression, "none">,
  first: Buffer,
  reader: BlobReader,
): AsyncGenerator<Buffer> {
  const options = { chunkSize: outputBytes, readableHighWaterMark: aheadBytes };
  try {
    if (compression === "gzip") {
      yield* through(zlib.createGunzip(options), first, reader, (chunk) => [chunk]);
    } else if (hasNativeZstd(zlib)) {
      const frames = new ZstdFrameSplitter();
      yield* through(zlib.createZstdDecompress(options), first, reader, (chunk) => frames.split(chunk));
      // Node.js 22 ends without a word where the data does.
      if (frames.isCutShort) throw invalidArchive("its zstd data is cut short");
    } else {
      yield* decompressZstd(first, reader);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!/^(?:Z_|ZSTD_|ERR_)/.test(code)) throw error;
    throw invalidArchive(`its ${compression} data is wrong: ${reasonOf(error)}`);
  }
}

/** Node.js has zstd since 22.15. */
function hasNativeZstd(module: object): module is { createZstdDecompress(options: object): Transform } {
  return "createZstdDecompress" in module;
}

/** Cuts a chunk into the pieces that a decoder can take. */
type Split = (chunk: Buffer) => readonly Buffer[];

/** Sends the blob through a transform, which works in the thread pool while its output is used here. */
async function* through(transform: Transform, first: Buffer, reader: BlobReader, split: Split): AsyncGenerator<Buffer> {
  const feeding = feed(transform, first, reader, split);
  // A failure to read is told by destroying the transform.
  feeding.catch((error: Error) => transform.destroy(error));
  for await (const chunk of transform as AsyncIterable<Buffer>) {
    yield chunk;
    release(chunk);
  }
  // What follows the compressed data is nobody's: stop feeding it.
  transform.destroy();
  await feeding;
}

/** Writes one piece while the one before is still being worked on; more would be overwritten. */
async function feed(transform: Transform, first: Buffer, reader: BlobReader, split: Split): Promise<void> {
  let previous = write(transform, split(first));
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    const current = write(transform, split(chunk));
    await previous;
    previous = current;
    if (transform.destroyed) return;
  }
  await previous;
  transform.end();
}

/** Resolves when the last piece has been used, or never will be. */
function write(transform: Transform, pieces: readonly Buffer[]): Promise<void> {
  return new Promise((resolve) => {
    for (const [index, piece] of pieces.entries()) {
      transform.write(piece, index === pieces.length - 1 ? () => resolve() : undefined);
    }
  });
}

// The decoder does not say so when it is stuck in damaged data: it gives empty pieces for ever.
const mostEmptyPieces = 1000;

/** For a Node.js without zstd: the reference implementation, compiled to WebAssembly. */
async function* decompressZstd(first: Buffer, reader: BlobReader): AsyncGenerator<Buffer> {
  const { ZSTDDecoder } = await import("zstddec/stream");
  const decoder = new ZSTDDecoder();
  await decoder.init();

  const read = await reader.blocking();
  function* chunks(): Generator<Buffer> {
    for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = read()) yield chunk;
  }

  let empty = 0;
  const pieces = decoder.decodeStreaming(chunks());
  for (;;) {
    let next: IteratorResult<Uint8Array, unknown>;
    try {
      next = pieces.next();
    } catch (error) {
      throw invalidArchive(`its zstd data is wrong: ${reasonOf(error)}`);
    }
    if (next.done) return;
    empty = next.value.length === 0 ? empty + 1 : 0;
    if (empty > mostEmptyPieces) throw invalidArchive("its zstd data is wrong");
    yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
  }
}
