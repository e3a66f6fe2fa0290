import { Readable } from "node:stream";
import type { CommandHeader } from "@anyproc/core/remote-shell";

// More than one packet of the server's, or every packet would pause the channel.
const highWaterMark = 1024 * 1024;

/** One output stream of a remote program, without the header that its shell wrote before it. */
export class CommandOutput extends Readable {
  readonly #source: Readable;
  readonly #onAbandoned: () => void;
  #header: CommandHeader | undefined;

  /** @param onAbandoned called when the program writes although nobody reads any more, or has ended */
  constructor(source: Readable, header: CommandHeader | undefined, onAbandoned: () => void) {
    super({ highWaterMark });
    this.#source = source;
    this.#header = header;
    this.#onAbandoned = onAbandoned;
    source.on("data", (chunk: Buffer) => this.#take(chunk));
    source.once("end", () => {
      this.#header?.end();
      this.push(null);
    });
    // Without a header to look for, nothing is read before somebody wants it.
    if (!header) source.pause();
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) {
      this.#onAbandoned();
      return;
    }
    let rest: Buffer | undefined = chunk;
    if (this.#header) {
      rest = this.#header.take(chunk);
      if (!rest) return;
      this.#header = undefined;
    }
    if (rest.length > 0 && !this.push(rest)) this.#source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // The channel has one flow for all streams: what is unread here would hold the others back.
    this.#source.resume();
    callback(error);
  }
}
