import { AnyprocError, type ErrorCode, type SignalName } from "@anyproc/core";

/** How a run of a payload ended. */
export interface RunResult {
  /** As a shell's `$?`: the payload's own, 128+N for signal N, 126 not executable, 127 interpreter not found. */
  readonly exitCode: number;
  /** The signal that ended the payload; null when it exited by itself. */
  readonly signal: SignalName | null;
  /** True when `timeoutMs` was over. */
  readonly timedOut: boolean;
  /** True when the AbortSignal or cancel() ended it. */
  readonly aborted: boolean;
  /** What it wrote to stdout and stderr, in that order of writing; null where streams were given. */
  readonly combinedOutput: Buffer | null;
  /** What went wrong; undefined for exit code 0. */
  readonly error: Error | undefined;
}

/** A run that failed: an error that is also the result. */
export class RunError extends AnyprocError implements RunResult {
  override readonly name: string = "RunError";
  readonly exitCode: number;
  readonly signal: SignalName | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly combinedOutput!: Buffer | null;

  constructor(code: ErrorCode, message: string, result: Omit<RunResult, "error">, cause?: unknown) {
    super(code, message, cause === undefined ? undefined : { cause });
    this.exitCode = result.exitCode;
    this.signal = result.signal;
    this.timedOut = result.timedOut;
    this.aborted = result.aborted;
    // It would drown everything else when the error is printed.
    Object.defineProperty(this, "combinedOutput", { value: result.combinedOutput, enumerable: false });
  }

  get error(): Error {
    return this;
  }
}

/** A payload that could not be started, with the exit code that a shell would give. */
export function startError(code: ErrorCode, exitCode: 126 | 127, message: string, cause?: unknown): RunError {
  return new RunError(
    code,
    message,
    { exitCode, signal: null, timedOut: false, aborted: false, combinedOutput: null },
    cause,
  );
}
