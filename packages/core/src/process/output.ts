import { Readable, type Writable } from "node:stream";
import { AnyprocError } from "../errors.ts";
import { release } from "./hold.ts";
import type { AttachOptions } from "./process.ts";

// More than what is left of a local program's output after its end (unix(7): SO_SNDBUF), or of a remote one's.
const maxChunksAfterEnd = 128;

interface Sink {
  /** False asks for a pause; the sink calls Output.ready() when it has room again. */
  deliver(chunk: Buffer): boolean;
  /** No byte follows. Resolves when everything delivered has been taken. */
  finish(): Promise<void> | undefined;
}

/** One output stream of a process, shared by any number of readers. The rules are in the docstring of Process. */
export class Output {
  readonly #sinks: Set<Sink> = new Set();
  readonly #full: Set<Sink> = new Set();
  #source: Readable | null | undefined;
  #flowing = false;
  #keptOpen = false;
  #ended = false;
  #silence: NodeJS.Timeout | undefined;
  #chunksAfterEnd = 0;
  #settle: () => void = () => {};
  /** Resolves when the source has ended and every reader has taken every byte. */
  readonly delivered: Promise<void> = new Promise((resolve) => {
    this.#settle = resolve;
  });

  /** The program's stream, once there is one; null when it has none. */
  connect(source: Readable | null): void {
    this.#source = source;
    if (source === null || source.destroyed || source.readableEnded) {
      this.#finish();
    } else {
      source.once("end", () => this.#finish());
      source.once("close", () => this.#finish());
      source.on("error", () => this.#finish());
      if (this.#sinks.size > 0 || this.#keptOpen) this.#flow();
    }
  }

  attach(writable: Writable, options?: AttachOptions): void {
    if (typeof writable?.write !== "function") {
      throw new AnyprocError("ANYPROC_INVALID_OPTION", "what is attached to the output is no stream: give a Writable");
    }
    if (writable.writable) this.#add(new AttachedSink(writable, options?.end ?? false, this));
  }

  fork(): Readable {
    const fork = new Fork(this);
    this.#add(fork);
    return fork;
  }

  /** When nobody reads now, output is thrown away from now on instead of waiting for a reader. */
  discardUnread(): void {
    if (this.#sinks.size === 0) this.keepOpen();
  }

  /** The program may go on writing whoever leaves; what nobody reads is thrown away. */
  keepOpen(): void {
    this.#keptOpen = true;
    this.#flow();
  }

  /**
   * For a program that has been ended: hands over what it left behind without waiting for room, which is no more than
   * a pipe holds. A process out of reach may keep the stream open: it is closed after so much silence, or when that
   * process writes on and on.
   */
  cutOffWhenSilent(idleMs: number): void {
    if (this.#ended || this.#silence !== undefined) return;
    this.#silence = setTimeout(() => this.#cutOffUnlessHeard(), idleMs);
    this.#full.clear();
    if (this.#flowing) this.#source?.resume();
  }

  /**
   * A timer that is late, because this process was kept from running, fires before what has arrived since is read. The
   * event loop reads it in its next turn, and some streams hand it over in the one after.
   */
  #cutOffUnlessHeard(): void {
    const heard = this.#chunksAfterEnd;
    setImmediate(setImmediate, () => {
      if (this.#flowing && this.#chunksAfterEnd === heard) this.#source?.destroy();
    });
  }

  ready(sink: Sink): void {
    if (this.#full.delete(sink) && this.#full.size === 0) this.#source?.resume();
  }

  drop(sink: Sink): void {
    if (!this.#sinks.delete(sink)) return;
    this.ready(sink);
    const isLast = this.#sinks.size === 0;
    if (isLast && this.#flowing && !this.#keptOpen && !this.#ended) this.#source?.destroy();
  }

  #add(sink: Sink): void {
    if (this.#ended) {
      void sink.finish();
      return;
    }
    this.#sinks.add(sink);
    this.#flow();
  }

  #flow(): void {
    if (this.#flowing || !this.#source || this.#ended) return;
    this.#flowing = true;
    this.#silence?.refresh();
    release(this.#source);
    this.#source.on("data", (chunk: Buffer) => this.#deliver(chunk));
  }

  #deliver(chunk: Buffer): void {
    if (this.#silence) {
      this.#silence.refresh();
      this.#chunksAfterEnd += 1;
      if (this.#chunksAfterEnd > maxChunksAfterEnd) this.#source?.destroy();
    }
    for (const sink of this.#sinks) {
      if (!sink.deliver(chunk) && !this.#silence) this.#full.add(sink);
    }
    if (this.#full.size > 0) this.#source?.pause();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    const unfinished = [...this.#sinks].map((sink) => sink.finish()).filter((finished) => finished !== undefined);
    this.#sinks.clear();
    if (unfinished.length === 0) this.#settle();
    else void Promise.all(unfinished).then(this.#settle);
  }
}

class Fork extends Readable implements Sink {
  readonly #output: Output;

  constructor(output: Output) {
    super();
    this.#output = output;
  }

  deliver(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  finish(): undefined {
    this.push(null);
  }

  override _read(): void {
    this.#output.ready(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#output.drop(this);
    callback(error);
  }
}

class AttachedSink implements Sink {
  readonly #writable: Writable;
  readonly #end: boolean;
  readonly #output: Output;
  #unwritten = 0;
  #detached = false;
  #taken: (() => void) | undefined;

  constructor(writable: Writable, end: boolean, output: Output) {
    this.#writable = writable;
    this.#end = end;
    this.#output = output;
    // Many processes may share one sink, process.stdout for instance: that is no leak.
    changeMaxListeners(writable, 2);
    writable.on("error", this.#gone);
    writable.on("close", this.#gone);
  }

  deliver(chunk: Buffer): boolean {
    if (!this.#writable.writable) {
      queueMicrotask(this.#gone);
      return true;
    }
    this.#unwritten += 1;
    try {
      return this.#writable.write(chunk, this.#written);
    } catch (error) {
      // Left alone, it would end this process, in the middle of what all the others are given.
      this.#writable.destroy(thrownBySink(error));
      return true;
    }
  }

  finish(): Promise<void> | undefined {
    if (this.#unwritten === 0) {
      this.#detach();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  readonly #written = (): void => {
    this.#unwritten -= 1;
    if (this.#unwritten > 0) return;
    this.#output.ready(this);
    if (this.#taken) this.#detach();
  };

  readonly #gone = (): void => {
    this.#output.drop(this);
    this.#detach();
  };

  #detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#writable.off("error", this.#gone);
    this.#writable.off("close", this.#gone);
    changeMaxListeners(this.#writable, -2);
    if (this.#end && this.#writable.writable) this.#writable.end();
    this.#taken?.();
  }
}

function thrownBySink(error: unknown): AnyprocError {
  return new AnyprocError(
    "ANYPROC_SINK_FAILED",
    `a sink threw instead of taking output: ${String(error)}: pass the error to the callback of its _write()`,
    { cause: error },
  );
}

function changeMaxListeners(writable: Writable, difference: number): void {
  const present = writable.getMaxListeners();
  // 0 means that there is no limit: node:events, setMaxListeners().
  if (present > 0) writable.setMaxListeners(Math.max(1, present + difference));
}
