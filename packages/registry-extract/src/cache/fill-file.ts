import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { release } from "../buffers.ts";
import { imageError } from "../errors.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { connectionError, isConnectionError } from "../registry/endpoint.ts";
import { pauseBeforeRetry, type RetryOptions } from "../registry/retry.ts";
import type { BlobStream, ImageSource } from "../sources/source.ts";
import type { PartialFile } from "./partial-file.ts";

/** How a blob is fetched. */
export interface FillOptions {
  readonly source: ImageSource;
  readonly descriptor: Descriptor;
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
  /** Called with the number of bytes that are in the file now. */
  readonly onGrown: (bytes: number) => void;
}

const writeBytes = 512 * 1024;
// What comes slowly is not held back: others wait for it, and it would be lost with this process.
const writeAfterMs = 100;
// A download that gets on this far between two failures is not counted as failing again and again.
const progressBytes = 1024 * 1024;

/**
 * Fetches what a file lacks of a blob, going on where a broken connection left off.
 *
 * @throws ANYPROC_DIGEST_MISMATCH for a blob longer than promised; ANYPROC_REGISTRY_...
 */
export async function fillFile(partial: PartialFile, options: FillOptions): Promise<void> {
  const { source, descriptor, retry, signal, onGrown } = options;
  const what = `${source.name}: blob ${descriptor.digest}`;
  const file = await open(partial.path, constants.O_WRONLY | constants.O_CREAT, 0o644);
  try {
    const writer = new BlobWriter(file, what, descriptor.size, partial.bytes, onGrown);
    onGrown(partial.bytes);
    for (let attempt = 1; writer.position < descriptor.size; attempt += 1) {
      const begin = writer.position;
      let failure: unknown;
      try {
        await writer.append(await source.openBlob(descriptor, begin, signal));
        failure = new Error(`the connection ended at byte ${writer.position} of ${descriptor.size}`);
      } catch (error) {
        signal.throwIfAborted();
        if (!isConnectionError(error)) throw error;
        failure = error;
      }
      if (writer.position === descriptor.size) return;
      if (writer.position - begin >= progressBytes) attempt = 1;
      if (!(await pauseBeforeRetry(attempt, retry, undefined, signal))) throw connectionError(what, failure);
    }
  } finally {
    await file.close();
  }
}

/** Writes a blob's chunks in large pieces, and never more than the blob may have. */
class BlobWriter {
  position: number;
  readonly #file: FileHandle;
  readonly #what: string;
  readonly #size: number;
  readonly #onGrown: (bytes: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writtenAtMs = 0;

  constructor(file: FileHandle, what: string, size: number, position: number, onGrown: (bytes: number) => void) {
    this.#file = file;
    this.#what = what;
    this.#size = size;
    this.position = position;
    this.#onGrown = onGrown;
  }

  async append({ offset, chunks }: BlobStream): Promise<void> {
    if (offset > this.position) {
      throw imageError("ANYPROC_REGISTRY_REFUSED", `${this.#what}: the server left out a part of it`);
    }
    // A server that cannot resume sends everything again.
    let skip = this.position - offset;
    try {
      for await (const chunk of chunks) {
        const useful = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - useful.length;
        if (useful.length > 0) await this.#add(useful);
      }
    } finally {
      await this.#flush();
    }
  }

  async #add(chunk: Buffer): Promise<void> {
    if (this.position + this.#waitingBytes + chunk.length > this.#size) {
      throw imageError(
        "ANYPROC_DIGEST_MISMATCH",
        `${this.#what}: is longer than the ${this.#size} bytes that its manifest promises: nothing of it is used`,
      );
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    const isLate = performance.now() - this.#writtenAtMs > writeAfterMs;
    if (this.#waitingBytes >= writeBytes || isLate) await this.#flush();
  }

  async #flush(): Promise<void> {
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let left: readonly Buffer[] = chunks; left.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(left, this.position);
      this.position += bytesWritten;
      left = rest(left, bytesWritten);
    }
    for (const chunk of chunks) release(chunk);
    this.#writtenAtMs = performance.now();
    this.#onGrown(this.position);
  }
}

/** What is left of chunks when so many bytes of them have been written: writev(2) may write less than all. */
function rest(chunks: readonly Buffer[], written: number): Buffer[] {
  let left = written;
  return chunks.flatMap((chunk) => {
    const part = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - part.length;
    return part.length > 0 ? [part] : [];
  });
}
