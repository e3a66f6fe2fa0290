/** Collects bytes that lie across chunks into one piece. */
export class BlockCollector {
  #parts: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Takes what is missing from the chunk, hands the piece over when it is whole, and returns the rest of the chunk. */
  collect(chunk: Buffer, wanted: number, take: (piece: Buffer) => void): Buffer {
    const part = chunk.subarray(0, wanted - this.#bytes);
    const rest = chunk.subarray(part.length);
    if (this.#bytes === 0 && part.length === wanted) {
      take(part);
      return rest;
    }
    // A copy: the chunk's memory may be used again by whoever wrote it.
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
    if (this.#bytes === wanted) {
      const piece = Buffer.concat(this.#parts, wanted);
      this.#parts = [];
      this.#bytes = 0;
      take(piece);
    }
    return rest;
  }
}
