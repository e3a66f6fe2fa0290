import type { Transform } from "node:stream";
import { release } from "../buffers.ts";
import type { BlobReader } from "./blob-reader.ts";

// Room for the thread pool to work ahead of the one that unpacks.
const options: { readonly chunkSize: number; readonly readableHighWaterMark: number } = {
  chunkSize: 128 * 1024,
  readableHighWaterMark: 512 * 1024,
};

/** Cuts a chunk into the pieces that a decoder can take. */
type Split = (chunk: Buffer) => readonly Buffer[];

/** Sends a blob through a stream of node:zlib, which works in the thread pool while its output is used here. */
export async function* decompressThrough(
  create: (settings: typeof options) => Transform,
  first: Buffer,
  reader: BlobReader,
  split: Split,
): AsyncGenerator<Buffer> {
  const transform = create(options);
  const feeding = feed(transform, first, reader, split);
  // A failure to read is told by destroying the transform.
  feeding.catch((error: Error) => transform.destroy(error));
  try {
    for await (const chunk of transform as AsyncIterable<Buffer>) {
      yield chunk;
      release(chunk);
    }
  } finally {
    // What follows the compressed data is nobody's: stop feeding it. The reader is somebody else's again.
    transform.destroy();
    await feeding.catch(() => {});
  }
}

/** Writes one piece while the one before is still being worked on; more would be overwritten. */
async function feed(transform: Transform, first: Buffer, reader: BlobReader, split: Split): Promise<void> {
  // A stream that has failed does not say what became of what was written to it.
  const closed = new Promise<void>((resolve) => transform.once("close", resolve));
  let previous = write(transform, split(first));
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    const current = write(transform, split(chunk));
    await Promise.race([previous, closed]);
    previous = current;
    if (transform.destroyed) return;
  }
  await Promise.race([previous, closed]);
  transform.end();
}

/** Resolves when the last piece has been used. */
function write(transform: Transform, pieces: readonly Buffer[]): Promise<void> {
  return new Promise((resolve) => {
    for (const [index, piece] of pieces.entries()) {
      transform.write(piece, index === pieces.length - 1 ? () => resolve() : undefined);
    }
  });
}
