import { type Duplex, Readable } from "node:stream";
import type { CommandHeader } from "@anyproc/core/remote-shell";

// More than one read of the connection, or every read would pause it.
const highWaterMark = 256 * 1024;
// Docker Engine API, "Attach to a container": one byte for the stream, three zeros, four bytes for the length.
const headerBytes = 8;
// More than pipes, daemon and connection hold between them.
const leftoverBytes = 16 * 1024 * 1024;
// Enough to recognise what an init or a runtime says instead of the program.
const keptBeginning = 200;
const streamOfErrors = 2;

/** What became of a connection's output side: it ended between two frames, or in the middle of one. */
export type StreamsEnd = "whole" | "cut";

/**
 * The output of a program, as it comes over one connection: raw with a terminal, otherwise in frames that say which of
 * two streams they belong to. The connection is read while both streams have room.
 */
export class ProgramStreams {
  readonly stdout: ProgramOutput;
  /** Null with a terminal. */
  readonly stderr: ProgramOutput | null;
  readonly ended: Promise<StreamsEnd>;
  readonly #connection: Duplex;
  readonly #full: Set<ProgramOutput> = new Set();
  /** Called when the program writes to a stream that nobody reads any more. */
  onAbandoned: () => void = () => {};
  #beginning = "";
  #header: Buffer = Buffer.alloc(0);
  #target: ProgramOutput;
  #left = 0;
  #allowance = 0;
  #preface: CommandHeader | undefined;

  /** @param preface what comes before the program's own bytes: on stderr, or on the terminal */
  constructor(connection: Duplex, hasTerminal: boolean, preface?: CommandHeader) {
    this.#connection = connection;
    this.#preface = preface;
    const roomy = (output: ProgramOutput): void => {
      if (this.#full.delete(output) && this.#full.size === 0) connection.resume();
    };
    this.stdout = new ProgramOutput(roomy);
    this.stderr = hasTerminal ? null : new ProgramOutput(roomy);
    this.#target = this.stdout;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#preface?.end();
        this.stdout.push(null);
        this.stderr?.push(null);
        resolve(this.#left === 0 && this.#header.length === 0 ? "whole" : "cut");
        connection.destroy();
      };
      connection.once("end", end).once("close", end);
      // A daemon may hang up on input that the program does not want: an error of writing, not of the output.
      connection.on("error", () => {});
    });
    connection.on("data", hasTerminal ? (chunk: Buffer) => this.#deliver(this.stdout, chunk) : this.#split);
  }

  /** How stderr, or what the terminal showed, began. */
  get beginning(): string {
    return this.#beginning;
  }

  /** Takes in what a program that is being ended has left behind, read or not: a daemon tells of no exit before. */
  takeLeftovers(): void {
    this.#allowance = Math.max(this.stdout.readableLength, this.stderr?.readableLength ?? 0) + leftoverBytes;
    this.#full.clear();
    this.#connection.resume();
  }

  readonly #split = (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const part = chunk.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#deliver(this.#target, part);
        continue;
      }
      const part = chunk.subarray(at, at + headerBytes - this.#header.length);
      at += part.length;
      this.#header = this.#header.length === 0 ? part : Buffer.concat([this.#header, part]);
      if (this.#header.length < headerBytes) return;
      this.#target = (this.#header[0] === streamOfErrors && this.stderr) || this.stdout;
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
  };

  #deliver(output: ProgramOutput, chunk: Buffer): void {
    let rest: Buffer | undefined = chunk;
    if (this.#preface && output === (this.stderr ?? this.stdout)) {
      rest = this.#preface.take(chunk);
      if (!rest) return;
      this.#preface = undefined;
    }
    if (this.#beginning.length < keptBeginning && output === (this.stderr ?? this.stdout)) {
      this.#beginning += rest.toString("latin1", 0, keptBeginning);
    }
    if (output.destroyed) {
      this.onAbandoned();
    } else if (rest.length > 0 && !output.push(rest) && output.readableLength >= this.#allowance) {
      this.#full.add(output);
      // Nobody reads before the preface has come, and a daemon may bring it after much that was written later.
      if (!this.#preface) this.#connection.pause();
    }
  }
}

/** One output stream. */
class ProgramOutput extends Readable {
  readonly #onRoom: (output: ProgramOutput) => void;

  constructor(onRoom: (output: ProgramOutput) => void) {
    super({ highWaterMark });
    this.#onRoom = onRoom;
  }

  override _read(): void {
    this.#onRoom(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Both streams share one connection: what is unread here would hold the other back.
    this.#onRoom(this);
    callback(error);
  }
}
