import { Readable, Writable } from "node:stream";
import { openSpool, type Spool } from "./spool.ts";

/**
 * A stream whose bytes are handed over when all of them have come: an archive tells a file's size before its content.
 */
export function spooledWriter(deliver: (content: Readable, size: number) => Promise<void>): Writable {
  let spool: Spool;

  async function finish(): Promise<void> {
    const { content } = spool;
    await deliver(Readable.from(content.chunks(), { objectMode: false }), content.size);
  }

  return new Writable({
    construct: (done) => {
      openSpool().then((opened) => {
        spool = opened;
        done();
      }, done);
    },
    write: (chunk: Buffer, _encoding, done) => void spool.append(chunk).then(() => done(), done),
    final: (done) => void finish().then(() => done(), done),
    destroy: (error, done) => void (spool?.close() ?? Promise.resolve()).then(() => done(error), done),
  });
}
