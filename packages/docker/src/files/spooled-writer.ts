import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";

/** A file on this machine that nobody else can see, and that goes with its handle. */
export async function openSpool(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-spool-"));
  try {
    return await open(join(directory, "spool"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * A stream whose bytes are handed over when all of them have come: an archive tells a file's size before its content.
 */
export function spooledWriter(deliver: (content: Readable, size: number) => Promise<void>): Writable {
  let spool: FileHandle;
  let size = 0;

  async function write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await spool.write(chunk, at, chunk.length - at, size);
      at += bytesWritten;
      size += bytesWritten;
    }
  }

  async function finish(): Promise<void> {
    await deliver(spool.createReadStream({ start: 0, autoClose: false }), size);
  }

  return new Writable({
    construct: (done) => {
      openSpool().then((opened) => {
        spool = opened;
        done();
      }, done);
    },
    write: (chunk: Buffer, _encoding, done) => void write(chunk).then(() => done(), done),
    final: (done) => void finish().then(() => done(), done),
    destroy: (error, done) => void (spool?.close() ?? Promise.resolve()).then(() => done(error), done),
  });
}
