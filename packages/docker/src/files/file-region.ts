import type { FileHandle } from "node:fs/promises";

const chunkBytes = 256 * 1024;
// Copying that much takes about as long as the way to the disk's cache and back.
const windowBytes = 64 * 1024;

/** A piece of an open file. */
export class FileRegion {
  readonly #file: FileHandle;
  readonly #offset: number;
  readonly size: number;

  constructor(file: FileHandle, offset: number, size: number) {
    this.#file = file;
    this.#offset = offset;
    this.size = size;
  }

  part(offset: number, size: number): FileRegion {
    return new FileRegion(this.#file, this.#offset + offset, size);
  }

  /** So many bytes from a position on; fewer at the end. */
  async read(position: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    const bytes = Buffer.allocUnsafe(wanted);
    let read = 0;
    while (read < wanted) {
      const { bytesRead } = await this.#file.read(bytes, read, wanted - read, this.#offset + position + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return bytes.subarray(0, read);
  }

  /** read() for many small pieces: what lies behind one is read with it, and kept for the next. */
  reader(): (position: number, length: number) => Promise<Buffer> {
    let window: Buffer = Buffer.alloc(0);
    let start = 0;
    return async (position, length) => {
      if (position < start || position + length > start + window.length) {
        window = await this.read(position, Math.max(length, windowBytes));
        start = position;
      }
      return window.subarray(position - start, position - start + length);
    };
  }

  async *chunks(start = 0, end: number = this.size): AsyncGenerator<Buffer, void, undefined> {
    for (let position = start; position < end; ) {
      const chunk = await this.read(position, Math.min(chunkBytes, end - position));
      if (chunk.length === 0) return;
      position += chunk.length;
      yield chunk;
    }
  }
}
