import { closeSync, openSync, readSync } from "node:fs";
import { type Growth, waitForGrowth, waitForGrowthSync } from "../cache/growth.ts";
import { parseDigest } from "../image/digest.ts";
import { createHasher, type Hasher } from "./hasher.ts";
import type { NativeFiles } from "./native-files.ts";

/** A blob in a file, as it is told to another thread. */
export interface BlobLocation {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** Undefined when everything is there. */
  readonly growth: Growth | undefined;
  /** Digest that it must have; undefined when nobody said. */
  readonly digest: string | undefined;
}

const chunkBytes = 256 * 1024;

/** Memory that is used again is not allocated, cleared and collected again. */
interface ReusedBuffer {
  readonly buffer: Buffer;
  /** Settles when what was read into it has been hashed. */
  hashed: Promise<void>;
}

/**
 * Reads a blob from beginning to end, waits where it is still growing, and hashes it on the way. A piece is good until
 * the one after the next is read.
 */
export class BlobReader {
  readonly #blob: BlobLocation;
  readonly #descriptor: number;
  readonly #hasher: Hasher;
  /** Settles when everything that was read has been hashed. */
  #hashed: Promise<void> = Promise.resolve();
  // A third one, so that the one that is read into next has been hashed by then.
  readonly #buffers: readonly ReusedBuffer[] = Array.from({ length: 3 }, () => ({
    buffer: Buffer.allocUnsafeSlow(chunkBytes),
    hashed: Promise.resolve(),
  }));
  #turn = 0;
  #position = 0;
  #grown: number;

  /** @param native hashes in another thread, where it can */
  constructor(blob: BlobLocation, native?: NativeFiles) {
    const algorithm = blob.digest === undefined ? "sha256" : parseDigest(blob.digest).algorithm;
    this.#hasher = createHasher(algorithm, native);
    this.#blob = blob;
    this.#descriptor = openSync(blob.path, "r");
    this.#grown = blob.growth === undefined ? blob.size : 0;
  }

  /** Bytes that were read. */
  get position(): number {
    return this.#position;
  }

  /** The next piece; undefined at the end. Other work of this thread goes on while it waits. */
  async read(): Promise<Buffer | undefined> {
    if (this.#mustWait()) this.#grown = await waitForGrowth(this.#blob.growth as Growth, this.#position);
    const place = this.#buffers[this.#turn] as ReusedBuffer;
    await place.hashed;
    const chunk = this.#readNow();
    if (chunk) {
      this.#hashed = this.#hashed.then(() => this.#hasher.update(chunk));
      // Whoever waits for it gets the failure.
      this.#hashed.catch(() => {});
      place.hashed = this.#hashed;
    }
    return chunk;
  }

  /**
   * Lets the rest be read by a decoder that does not wait: each next piece, and the thread stands still where there is
   * none yet.
   */
  async blocking(): Promise<() => Buffer | undefined> {
    await this.#hashed;
    return () => {
      if (this.#mustWait()) this.#grown = waitForGrowthSync(this.#blob.growth as Growth, this.#position);
      const chunk = this.#readNow();
      if (chunk) this.#hasher.updateSync(chunk);
      return chunk;
    };
  }

  /** Reads what is left and returns the digest of everything. */
  async finish(): Promise<string> {
    while ((await this.read()) !== undefined);
    await this.#hashed;
    return this.#hasher.digest();
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #mustWait(): boolean {
    return this.#position < this.#blob.size && this.#position >= this.#grown;
  }

  #readNow(): Buffer | undefined {
    const wanted = Math.min(chunkBytes, this.#grown - this.#position);
    if (wanted <= 0) return undefined;
    const { buffer } = this.#buffers[this.#turn] as ReusedBuffer;
    this.#turn = (this.#turn + 1) % this.#buffers.length;
    const bytes = readSync(this.#descriptor, buffer, 0, wanted, this.#blob.offset + this.#position);
    // The file is shorter than it was said to be; the digest will tell.
    if (bytes === 0) return undefined;
    this.#position += bytes;
    return buffer.subarray(0, bytes);
  }
}
