import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { FileRegion } from "./file-region.ts";

const highWaterMark = 1024 * 1024;

/** A file on this machine that nobody else can see, and that goes with its handle. */
export class Spool {
  readonly #file: FileHandle;
  #size = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** All that has been appended. */
  get content(): FileRegion {
    return new FileRegion(this.#file, 0, this.#size);
  }

  async append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#size);
      at += bytesWritten;
      this.#size += bytesWritten;
    }
  }

  /** A stream that appends. What comes while a write is under way goes with the next one. */
  writer(): Writable {
    return new Writable({
      highWaterMark,
      writev: (pieces: readonly { readonly chunk: Buffer }[], done) => {
        this.append(Buffer.concat(pieces.map(({ chunk }) => chunk))).then(() => done(), done);
      },
    });
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export async function openSpool(): Promise<Spool> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-spool-"));
  try {
    return new Spool(await open(join(directory, "spool"), "wx+", 0o600));
  } finally {
    await rm(directory, { recursive: true });
  }
}
