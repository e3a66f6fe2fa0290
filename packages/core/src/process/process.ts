import type { Readable, Writable } from "node:stream";
import type { Command, PtySize } from "../command.ts";
import type { Exit } from "../exit.ts";
import type { SignalName } from "../signals.ts";

/** How a sink is attached. */
export interface AttachOptions {
  /** End the sink after the last byte. Leave it off for sinks that outlive the process. @default false */
  readonly end?: boolean;
}

/** Which lines, and how. */
export interface LinesOptions {
  /** @default "stdout" */
  readonly from?: "stdout" | "stderr";
}

/**
 * One run of a program.
 *
 * Output goes to everything that is attached or forked, each at its own pace: the slowest reader holds the program
 * back, none of them loses a byte, and one that fails is dropped. Output that nobody has asked for waits in the
 * program's pipe until there is a reader, or until wait() or close() says that there will be none. A reader that
 * comes later gets the output from then on. When the last reader goes away the pipe is closed, and the program sees
 * EPIPE as it would in a shell's pipeline. Once the process has been ended (timeout, abort, kill(), close()), what is
 * left of its output waits for no reader: it is handed over at once.
 */
export interface Process extends AsyncDisposable {
  readonly command: Command;
  /** Id on this machine; see `capabilities.pid`. Undefined before the start and where there is none. */
  readonly pid: number | undefined;
  /** The exit code as in `Exit.exitCode`; undefined until the process has ended. */
  readonly exitCode: number | undefined;

  /** Bytes for the program. May be written before the start; ending it is the program's end of file. */
  readonly stdin: Writable;
  /** A readable copy of the output, made at the first access. */
  readonly stdout: Readable;
  /** A readable copy of the errors, made at the first access. */
  readonly stderr: Readable;

  /**
   * Runs the program. Resolves when it runs, or has already failed in a way that has an exit code (127, 126).
   *
   * @throws ANYPROC_ALREADY_RUNNING at the second call; ANYPROC_CLOSED after close(), or when the process is ended
   * while it waits to be started; ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED,
   * ANYPROC_INPUT_FAILED; the AbortSignal's reason when it is aborted already, or while it waits
   */
  start(): Promise<void>;
  /**
   * How the process ended, after its last byte of output has been delivered. The same object for every caller.
   *
   * @throws ANYPROC_NOT_RUNNING when it was never started; ANYPROC_INPUT_FAILED, see attachStdin()
   */
  wait(): Promise<Exit>;

  /**
   * Feeds the program from a stream, and ends its stdin with it. Several streams are fed one after the other. When one
   * of them fails, the program is not told that this was all: it is ended with its descendants, and wait() throws
   * ANYPROC_INPUT_FAILED with the stream's error as its cause.
   */
  attachStdin(source: Readable): void;
  attachStdout(sink: Writable, options?: AttachOptions): void;
  attachStderr(sink: Writable, options?: AttachOptions): void;
  /** An independent readable copy of the output from now on. Destroy it when it is no longer read. */
  forkStdout(): Readable;
  forkStderr(): Readable;
  /** The output as lines of UTF-8 text without their line ends, from now on. */
  lines(options?: LinesOptions): AsyncIterable<string>;

  /**
   * Sends a signal to the program. No effect once it has ended.
   *
   * @throws ANYPROC_NOT_RUNNING before the start; ANYPROC_INVALID_OPTION for a name that signal(7) does not have
   */
  signal(name: SignalName): Promise<void>;
  /** Ends the program and its descendants with SIGKILL. @throws ANYPROC_NOT_RUNNING before the start */
  kill(): Promise<void>;
  /** Tells the terminal its new size. @throws ANYPROC_UNSUPPORTED without a terminal; ANYPROC_INVALID_COMMAND */
  resize(size: Required<PtySize>): void;
  /**
   * Ends stdin, asks the program and its descendants to stop, waits, forces them after `forceKillAfterMs`.
   * Idempotent, and safe before the start.
   */
  close(): Promise<void>;
}
