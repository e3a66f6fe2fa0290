import { read as readWithCallback } from "node:fs";
import { promisify } from "node:util";
import { AnyprocError } from "@anyproc/core";
import { headerBytes } from "@anyproc/core/child-process";
import type { PayloadFile } from "./payload-file.ts";
import { createTemporaryFile } from "./temporary-file.ts";

const readDescriptor = promisify(readWithCallback);

/** An opened payload: bytes that can be run, any number of times. */
export interface Runnable extends AsyncDisposable {
  /** Where the bytes lie: `/proc/self/fd/N` in this process's terms, or the temporary file's path. */
  readonly name: string;
  /** True while runs start from anonymous memory, false when they start from a temporary file. */
  readonly isMemfd: boolean;
  /** Why runs start from a temporary file, though memory was asked for. */
  readonly fallbackReason: Error | undefined;
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Fills the buffer from the reading position on. Resolves with the number of bytes, 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
  /** Moves the reading position, and returns the new one. @throws ANYPROC_INVALID_OPTION for one before the start */
  seek(offset: number, from?: "start" | "current" | "end"): number;
  /** Lets go of the bytes, after the last run that uses them has ended. Idempotent. */
  close(): Promise<void>;
}

/** What open() returns, with what runners need besides. */
export class OpenedPayload implements Runnable {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly #temporaryDirectory: string | undefined;
  /** The file that runs start from; the last one. Those before it were refused. */
  readonly #files: PayloadFile[];
  #fallbackReason: Error | undefined;
  #moving: Promise<PayloadFile> | undefined;
  #header: Promise<Buffer> | undefined;
  #position = 0;
  #users = 0;
  #isClosed = false;
  #released: Promise<void> | undefined;

  constructor(file: PayloadFile, sizeBytes: number, temporaryDirectory?: string, fallbackReason?: Error) {
    this.digest = file.digest;
    this.sizeBytes = sizeBytes;
    this.#files = [file];
    this.#temporaryDirectory = temporaryDirectory;
    this.#fallbackReason = fallbackReason;
    // Policies go by the digest.
    Object.freeze(this);
  }

  /** True for what the constructor has made, and for nothing that only looks so, such as a Proxy. */
  static isGenuine(value: object): value is OpenedPayload {
    return #files in value;
  }

  get file(): PayloadFile {
    return this.#files.at(-1) as PayloadFile;
  }

  /** The name for messages. */
  get label(): string {
    return `payload ${this.digest.slice(0, 12)}`;
  }

  get name(): string {
    return this.file.path ?? `/proc/self/fd/${this.file.descriptor}`;
  }

  get isMemfd(): boolean {
    return this.file.path === undefined;
  }

  get fallbackReason(): Error | undefined {
    return this.#fallbackReason;
  }

  async read(buffer: Uint8Array): Promise<number> {
    // A descriptor that is closed meanwhile could be another file's by the time that it is read from.
    const letGo = this.acquire();
    try {
      const { bytesRead } = await readDescriptor(this.file.descriptor, buffer, 0, buffer.length, this.#position);
      this.#position += bytesRead;
      return bytesRead;
    } finally {
      await letGo();
    }
  }

  seek(offset: number, from: "start" | "current" | "end" = "start"): number {
    const position = { start: 0, current: this.#position, end: this.sizeBytes }[from] + offset;
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new AnyprocError(
        "ANYPROC_INVALID_OPTION",
        `${this.label}: cannot seek to ${position}: give an offset that leads to 0 or more`,
      );
    }
    this.#position = position;
    return position;
  }

  /** The first `length` bytes. */
  async bytes(length: number = this.sizeBytes): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.min(length, this.sizeBytes));
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await readDescriptor(this.file.descriptor, bytes, done, bytes.length - done, done);
      if (bytesRead === 0)
        throw new AnyprocError("ANYPROC_EMRUN_TEMPORARY_FILE", `${this.label}: ${this.name} was cut off by somebody`);
      done += bytesRead;
    }
    return bytes;
  }

  /** The bytes that tell what the payload is. */
  header(): Promise<Buffer> {
    this.#header ??= this.bytes(headerBytes);
    return this.#header;
  }

  /** Copies the bytes into a temporary file, where runs start from then on. */
  moveToTemporaryFile(reason: Error): Promise<PayloadFile> {
    this.#moving ??= this.#move(reason).finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  async #move(reason: Error): Promise<PayloadFile> {
    if (!this.isMemfd) return this.file;
    const file = await createTemporaryFile(await this.bytes(), this.#temporaryDirectory);
    this.#files.push(file);
    this.#fallbackReason = reason;
    return file;
  }

  /** Keeps the bytes until the returned function is called. @throws ANYPROC_CLOSED after close() */
  acquire(): () => Promise<void> {
    this.#checkOpen();
    this.#users += 1;
    return async () => {
      this.#users -= 1;
      await this.#releaseUnused();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#releaseUnused();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #releaseUnused(): Promise<void> {
    if (!this.#isClosed || this.#users > 0) return;
    this.#released ??= Promise.all(this.#files.map((file) => file.release())).then(() => {});
    await this.#released;
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new AnyprocError("ANYPROC_CLOSED", `${this.label}: closed already: run it before close()`);
    }
  }
}

/** What a runner works on. @throws ANYPROC_INVALID_OPTION for what open() has not made */
export function openedPayload(runnable: Runnable): OpenedPayload {
  if (typeof runnable === "object" && runnable !== null && OpenedPayload.isGenuine(runnable)) return runnable;
  throw new AnyprocError(
    "ANYPROC_INVALID_OPTION",
    "the payload is neither bytes nor an opened payload: give a Uint8Array, or what open() returns",
  );
}
