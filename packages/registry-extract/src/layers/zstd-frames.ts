const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** Sizes of the fields that a frame header's descriptor announces (RFC 8878, section 3.1.1.1). */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] as number;
  return (isSingleSegment ? 0 : 1) + dictionaryId + contentSize;
}

/**
 * Cuts zstd data where one frame ends and the next begins. Before version 26 Node.js drops what follows the end of a
 * frame in the same piece, and zstd:chunked layers have a frame a file.
 */
export class ZstdFrameSplitter {
  #field = Buffer.alloc(4);
  #fieldBytes = 0;
  /** Bytes of the field at hand, or of content that is passed over. */
  #wanted = 4;
  #isContent = false;
  #then: () => void = () => this.#takeMagic();
  #isLastBlock = false;
  #hasChecksum = false;
  #isAtEnd = false;
  #isLost = false;
  #isInFrame = false;

  /** Whether the data so far stops in the middle of a frame. */
  get isCutShort(): boolean {
    return !this.#isLost && (this.#isInFrame || this.#fieldBytes > 0);
  }

  /** The pieces of a chunk, each of which ends where the chunk or a frame does. */
  split(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let position = 0; position < chunk.length && !this.#isLost; ) {
      const taken = Math.min(this.#wanted - this.#fieldBytes, chunk.length - position);
      if (!this.#isContent) chunk.copy(this.#field, this.#fieldBytes, position, position + taken);
      this.#fieldBytes += taken;
      position += taken;
      while (this.#fieldBytes === this.#wanted && !this.#isLost) {
        this.#fieldBytes = 0;
        this.#then();
        if (!this.#isAtEnd) continue;
        this.#isAtEnd = false;
        pieces.push(chunk.subarray(start, position));
        start = position;
      }
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }

  #expect(wanted: number, isContent: boolean, then: () => void): void {
    this.#wanted = wanted;
    this.#isContent = isContent;
    this.#then = then;
  }

  #takeMagic(): void {
    const value = this.#field.readUInt32LE();
    this.#isInFrame = true;
    if (value === magic) this.#expect(1, false, () => this.#takeDescriptor());
    else if ((value & 0xfffffff0) >>> 0 === skippableMagic) this.#expect(4, false, () => this.#takeSkippableSize());
    // The decoder has the better words for what is wrong.
    else this.#isLost = true;
  }

  #takeSkippableSize(): void {
    this.#expect(this.#field.readUInt32LE(), true, () => this.#endFrame());
  }

  #takeDescriptor(): void {
    const descriptor = this.#field[0] as number;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#expect(headerBytes(descriptor), true, () => this.#expectBlock());
  }

  #expectBlock(): void {
    this.#expect(3, false, () => this.#takeBlockHeader());
  }

  #takeBlockHeader(): void {
    const header = this.#field.readUIntLE(0, 3);
    this.#isLastBlock = (header & 1) === 1;
    // A block of type 1 is one byte that is repeated.
    const bytes = ((header >> 1) & 3) === 1 ? 1 : header >> 3;
    this.#expect(bytes, true, () => this.#endBlock());
  }

  #endBlock(): void {
    if (!this.#isLastBlock) this.#expectBlock();
    else if (this.#hasChecksum) this.#expect(4, true, () => this.#endFrame());
    else this.#endFrame();
  }

  #endFrame(): void {
    this.#isAtEnd = true;
    this.#isInFrame = false;
    this.#expect(4, false, () => this.#takeMagic());
  }
}
