import type { Readable, Writable } from "node:stream";
import type { Command, PtySize } from "../command.ts";
import type { SignalName } from "../signals.ts";

/** How the program itself ended, before anything is known about why. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: SignalName | null;
  /** True when the kernel ended it because its memory limit was reached. */
  readonly outOfMemory?: boolean;
}

/** How a tree is ended. */
export interface EndOptions {
  readonly killSignal: SignalName;
  readonly forceKillAfterMs: number;
}

/** A started program, as an environment hands it over. createProcess() makes a Process out of it. */
export interface RunningProgram {
  readonly pid?: number | undefined;
  /** Null where the stream is not a pipe. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /**
   * Resolves when the program has ended, whether or not its output has been read. Rejects when nobody can tell how it
   * ended, for instance because the connection to its machine was lost: wait() then throws the same error.
   */
  readonly exited: Promise<ProgramExit>;
  /** Sends one signal to the program. */
  signal(name: SignalName): void | Promise<void>;
  /** Asks the program and its descendants to stop, then forces them. Resolves when they are gone or out of reach. */
  end(options: EndOptions): Promise<void>;
  /** Only with a terminal. */
  resize?(size: Required<PtySize>): void;
}

/**
 * What an environment implements: run this checked command now. Where that may wait for somebody else, the wait ends
 * when `giveUp` is aborted, by throwing its reason.
 */
export type Starter = (command: Command, giveUp: AbortSignal) => RunningProgram | Promise<RunningProgram>;
