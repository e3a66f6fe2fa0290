import type { FileHandle } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { FileRegion } from "./file-region.ts";
import { openSpool, writeAt } from "./spool.ts";

/**
 * A stream whose bytes are handed over when all of them have come: an archive tells a file's size before its content.
 */
export function spooledWriter(deliver: (content: Readable, size: number) => Promise<void>): Writable {
  let spool: FileHandle;
  let size = 0;

  async function write(chunk: Buffer): Promise<void> {
    await writeAt(spool, chunk, size);
    size += chunk.length;
  }

  async function finish(): Promise<void> {
    await deliver(Readable.from(new FileRegion(spool, 0, size).chunks(), { objectMode: false }), size);
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
