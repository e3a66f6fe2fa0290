import { invalidArchive } from "@anyproc/core/tar";
import { ZSTDDecoder } from "zstddec/stream";
import { reasonOf } from "../errors.ts";
import type { BlobReader } from "./blob-reader.ts";

// The decoder does not say so when it is stuck in damaged data: it gives empty pieces for ever.
const mostEmptyPieces = 1000;

/** For a Node.js without zstd: the reference implementation, compiled to WebAssembly. */
export async function* decompressZstd(first: Buffer, reader: BlobReader): AsyncGenerator<Buffer> {
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
