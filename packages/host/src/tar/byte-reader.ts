import { invalidArchive } from "./invalid-archive.ts";

/** Takes a stream apart into pieces of known sizes, without copying more than the small ones. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or undefined when the stream is over. */
  async take(size: number): Promise<Buffer | undefined> {
    if (this.#chunk.length < size) {
      const parts = [this.#chunk];
      let length = this.#chunk.length;
      while (length < size && (await this.#fill())) {
        parts.push(this.#chunk);
        length += this.#chunk.length;
      }
      if (length === 0 && size > 0) return undefined;
      if (length < size) throw truncated();
      this.#chunk = Buffer.concat(parts);
    }
    const taken = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(size);
    return taken;
  }

  /** So many bytes, in the pieces in which they come. */
  async *pieces(size: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = size; left > 0; ) {
      if (this.#chunk.length === 0 && !(await this.#fill())) throw truncated();
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async skip(size: number): Promise<void> {
    for await (const _piece of this.pieces(size));
  }

  /** Reads to the end, so that whoever writes the stream can finish. */
  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) {
        this.#chunk = Buffer.alloc(0);
        return false;
      }
      if (value.length > 0) {
        this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        return true;
      }
    }
  }
}

function truncated(): Error {
  return invalidArchive("it ends in the middle of an entry");
}
