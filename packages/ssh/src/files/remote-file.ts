import { Writable } from "node:stream";
import type { SFTPWrapper } from "ssh2";
import { fileError } from "./sftp-error.ts";
import { ask } from "./sftp-request.ts";
import type { SftpSource } from "./sftp-source.ts";

// Requests that are on their way at once: at 64 KiB each they fill the channel's window of 2 MiB.
const inFlight = 32;
const chunkBytes = 64 * 1024;

// draft-ietf-secsh-filexfer-02, 7: SSH_FX_EOF.
const endOfFile = 1;

/** A remote file that is being written. */
export interface WritableFile {
  /** Resolves when there is room for the next chunk; rejects when an earlier one has failed. */
  write(chunk: Buffer): Promise<void>;
  /** Resolves when everything has been written. */
  finish(): Promise<void>;
  setAttributes(attributes: { mode: number; atime: number; mtime: number }): Promise<void>;
  close(): Promise<void>;
}

/** How a remote file is opened for writing. */
export interface WriteOptions {
  readonly mode?: number | undefined;
  /** Where to go on in a file that is there; without it, the file is created or emptied. */
  readonly fromByte?: number;
}

/** The content of a remote file. */
export async function* remoteChunks(
  source: SftpSource,
  path: string,
  fromByte = 0,
): AsyncGenerator<Buffer, void, undefined> {
  if (!path.startsWith("/")) throw fileError("EINVAL", "open", path);
  const { sftp, release, explained } = await source.borrow();
  let syscall = "open";
  try {
    const handle = await ask<Buffer>(sftp, (done) => sftp.open(path, "r", done));
    try {
      syscall = "read";
      yield* readChunks(sftp, handle, fromByte);
    } finally {
      await closeHandle(sftp, handle);
    }
  } catch (error) {
    throw await explained(error, syscall, path);
  } finally {
    release();
  }
}

/** Opens a remote file to write to it. */
export async function openForWriting(
  source: SftpSource,
  path: string,
  { mode, fromByte }: WriteOptions = {},
): Promise<WritableFile> {
  if (!path.startsWith("/")) throw fileError("EINVAL", "open", path);
  const { sftp, release, explained } = await source.borrow();
  async function explaining<T>(syscall: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw await explained(error, syscall, path);
    }
  }
  let handle: Buffer;
  try {
    handle = await explaining(
      "open",
      ask<Buffer>(sftp, (done) =>
        sftp.open(path, fromByte === undefined ? "w" : "r+", mode === undefined ? {} : { mode }, done),
      ),
    );
  } catch (error) {
    release();
    throw error;
  }
  const writer = new ChunkWriter(sftp, handle, fromByte);
  return {
    write: (chunk) => explaining("write", writer.write(chunk)),
    finish: () => explaining("write", writer.finish()),
    setAttributes: (attributes) =>
      explaining(
        "fsetstat",
        ask<void>(sftp, (done) => sftp.fsetstat(handle, attributes, (error) => done(error, undefined))),
      ),
    close: () => explaining("close", closeHandle(sftp, handle)).finally(release),
  };
}

/** A stream into a file that is opened when the stream is made. */
export function writable(open: () => Promise<WritableFile>): Writable {
  let file: WritableFile | undefined;
  return new Writable({
    construct(callback) {
      open().then((opened) => {
        file = opened;
        callback();
      }, callback);
    },
    write(chunk: Buffer, _encoding, callback) {
      file?.write(chunk).then(() => callback(), callback);
    },
    final(callback) {
      file?.finish().then(() => callback(), callback);
    },
    destroy(error, callback) {
      const closed = file?.close() ?? Promise.resolve();
      closed.then(
        () => callback(error),
        (closeError: Error) => callback(error ?? closeError),
      );
    },
  });
}

function closeHandle(sftp: SFTPWrapper, handle: Buffer): Promise<void> {
  return ask(sftp, (done) => sftp.close(handle, (error) => done(error, undefined)));
}

/** Reads an open file to its end, in order, with many requests in flight. */
async function* readChunks(
  sftp: SFTPWrapper,
  handle: Buffer,
  fromByte: number,
): AsyncGenerator<Buffer, void, undefined> {
  let position = fromByte;
  const asked: Promise<Buffer>[] = [];
  const fill = (): void => {
    while (asked.length < inFlight) {
      const chunk = readChunk(sftp, handle, position + asked.length * chunkBytes);
      // A failure behind the end of the file, or behind another failure, is nobody's business.
      chunk.catch(() => {});
      asked.push(chunk);
    }
  };
  for (;;) {
    // One request tells how large a small file is: its second one would be for nothing.
    if (position === fromByte) asked.push(readChunk(sftp, handle, position));
    else fill();
    const chunk = await asked.shift();
    if (!chunk || chunk.length === 0) return;
    yield chunk;
    position += chunk.length;
    // Files of /proc and the like come in pieces of their own size.
    if (chunk.length < chunkBytes) asked.length = 0;
  }
}

/** Writes to an open file at rising positions, with many requests in flight. */
class ChunkWriter {
  readonly #sftp: SFTPWrapper;
  readonly #handle: Buffer;
  readonly #pending: Set<Promise<void>> = new Set();
  #position: number;
  #error: unknown;

  constructor(sftp: SFTPWrapper, handle: Buffer, position = 0) {
    this.#sftp = sftp;
    this.#handle = handle;
    this.#position = position;
  }

  /** Resolves when there is room for the next chunk; rejects when an earlier one has failed. */
  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; offset += chunkBytes) {
      this.#send(chunk.subarray(offset, offset + chunkBytes));
      if (this.#pending.size >= inFlight) await Promise.race(this.#pending);
      if (this.#error !== undefined) throw this.#error;
    }
  }

  /** Resolves when everything has been written. */
  async finish(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#error !== undefined) throw this.#error;
  }

  #send(chunk: Buffer): void {
    const position = this.#position;
    this.#position += chunk.length;
    const written = ask<void>(this.#sftp, (done) =>
      this.#sftp.write(this.#handle, chunk, 0, chunk.length, position, (error) => done(error, undefined)),
    ).catch((error) => {
      this.#error ??= error;
    });
    this.#pending.add(written);
    void written.then(() => this.#pending.delete(written));
  }
}

async function readChunk(sftp: SFTPWrapper, handle: Buffer, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const bytesRead = await ask<number>(sftp, (done) => {
    sftp.read(handle, buffer, 0, chunkBytes, position, (error, bytes) => {
      const isAtEnd = (error as { code?: unknown } | undefined)?.code === endOfFile;
      done(isAtEnd ? undefined : error, isAtEnd ? 0 : bytes);
    });
  });
  return buffer.subarray(0, bytesRead);
}
