import { type Readable, Writable } from "node:stream";
import { AnyprocError } from "../errors.ts";

/**
 * The stdin of a process: takes bytes before there is a program, and forgets what the program no longer wants.
 *
 * When the program closes its stdin or ends, this stream closes without an error, as a pipe's writer in a shell would
 * be stopped by SIGPIPE: sources that are being fed stop being read.
 */
export class Input extends Writable {
  #target: Writable | null | undefined;
  #held: (() => void) | undefined;
  readonly #sources: Readable[] = [];

  /** The program's stream, once there is one; null when it has none. */
  connect(target: Writable | null): void {
    this.#target = target;
    if (target === null) {
      this.destroy();
      return;
    }
    target.once("close", () => this.destroy());
    this.#held?.();
    this.#held = undefined;
  }

  /** Feeds a stream, after those that are being fed already; the last one ends this stream. */
  feed(source: Readable): void {
    if (this.writableEnded || this.destroyed) {
      throw new AnyprocError("ANYPROC_CLOSED", "stdin has ended: attach sources before the last one is over");
    }
    this.#sources.push(source);
    if (this.#sources.length === 1) this.#feedNext();
  }

  #feedNext(): void {
    const source = this.#sources[0];
    if (source === undefined) {
      this.end();
      return;
    }
    let over = false;
    const next = (): void => {
      if (over) return;
      over = true;
      source.off("end", next).off("error", next).off("close", next);
      this.#sources.shift();
      if (!this.destroyed) this.#feedNext();
    };
    source.on("end", next).on("error", next).on("close", next);
    if (source.destroyed || source.readableEnded) next();
    else source.pipe(this, { end: false });
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#target === undefined) {
      this.#held = () => this._write(chunk, encoding, callback);
    } else if (this.#target?.writable) {
      this.#target.write(chunk, (error) => {
        if (error) this.destroy();
        callback();
      });
    } else {
      this.destroy();
      callback();
    }
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#target === undefined) {
      this.#held = () => this._final(callback);
    } else {
      this.#target?.end();
      callback();
    }
  }
}
