import type { Piece } from "./read-tar.ts";

const zeros: Buffer = Buffer.alloc(64 * 1024);

/** A file's content from its first byte to its last, with zeros where it has holes. */
export async function* withoutHoles(
  content: AsyncIterable<Piece>,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  let end = 0;
  function* hole(to: number): Generator<Buffer> {
    for (; end < to; end += Math.min(to - end, zeros.length)) yield zeros.subarray(0, to - end);
  }
  for await (const { position, data } of content) {
    yield* hole(position);
    yield data;
    end += data.length;
  }
  yield* hole(size);
}
