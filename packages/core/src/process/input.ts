import { type Readable, Writable } from "node:stream";
import { AnyprocError } from "../errors.ts";

/**
 * The stdin of a process: takes bytes before there is a program, and forgets what the program no longer wants.
 *
 * When the program closes its stdin or ends, this stream closes without an error, as a pipe's writer in a shell would
 * be stopped by SIGPIPE: sources that are being fed stop being read. When this stream is destroyed, the program is at
 * its end of file.
 */
export class Input extends Writable {
  #target: Writable | null | undefined;
  #held: (() => void) | undefined;
  readonly #sources: Readable[] = [];
  readonly #onFailure: (error: Error) => void;

  /** @param onFailure called when a source fails: the program has not got all it should have */
  constructor(onFailure: (error: Error) => void) {
    super();
    this.#onFailure = onFailure;
  }

  /** The program's stream, once there is one; null when it has none. */
  connect(target: Writable | null): void {
    this.#target = target;
    if (target === null) {
      this.destroy();
      return;
    }
    target.once("close", () => this.destroy());
    if (this.destroyed) target.end();
    this.#held?.();
    this.#held = undefined;
  }

  /**
   * Feeds a stream, after those that are being fed already; the last one ends this stream. It is left alone when the
   * program takes no more, which nobody can know in advance.
   */
  feed(source: Readable): void {
    if (typeof source?.pipe !== "function") {
      throw new AnyprocError("ANYPROC_INVALID_OPTION", "what is attached to stdin is no stream: give a Readable");
    }
    if (this.writableEnded) {
      throw new AnyprocError("ANYPROC_CLOSED", "stdin has ended: attach sources before the last one is over");
    }
    if (this.destroyed) return;
    this.#sources.push(source);
    source.on("error", this.#fail);
    if (source.errored) this.#fail(source.errored);
    else if (this.#sources.length === 1) this.#feedNext();
  }

  #feedNext(): void {
    const [source] = this.#sources;
    if (source === undefined) {
      this.end();
      return;
    }
    source.on("end", this.#next).on("close", this.#next);
    if (source.destroyed || source.readableEnded) this.#next();
    else source.pipe(this, { end: false });
  }

  readonly #next = (): void => {
    const [source] = this.#sources;
    // It stays the one that is being fed: an end of file would tell the program that this was all.
    if (source === undefined || source.errored) return;
    this.#sources.shift();
    this.#leave(source);
    this.#feedNext();
  };

  readonly #fail = (error: Error): void => this.#onFailure(error);

  #leave(source: Readable): void {
    source.unpipe(this).off("end", this.#next).off("close", this.#next);
    // The event that follows an error would otherwise find nobody, and end this process.
    if (!source.errored) source.off("error", this.#fail);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    for (const source of this.#sources.splice(0)) this.#leave(source);
    if (this.#target?.writable) this.#target.end();
    callback(error);
  }

  /** A source in object mode may give anything; Writable would throw it at whoever runs the event loop. */
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean {
    if (this.#sources.length > 0 && typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      this.#fail(new TypeError(`it gave a value of type ${typeof chunk}, not text or bytes`));
      return false;
    }
    return typeof encoding === "function"
      ? super.write(chunk, encoding)
      : super.write(chunk, encoding as "utf8", callback);
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
