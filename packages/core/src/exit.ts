import { type SignalName, signalNumber } from "./signals.ts";

/** How a process ended. */
export interface Exit {
  /** What the program passed to exit(3), 0 to 255; null when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended the program; null when it exited by itself. */
  readonly signal: SignalName | null;
  /** One number for both, as a shell's `$?`: the code, or 128 + the signal's number. */
  readonly exitCode: number;
  /** True when `timeoutMs` was over and the process was ended for it. */
  readonly timedOut: boolean;
  /** True when the AbortSignal ended the process. */
  readonly aborted: boolean;
  /** True when the kernel ended the program because its memory limit was reached; only where that can be told. */
  readonly outOfMemory?: boolean;
}

/** The exit codes that every environment shares with the shells and with docker. */
export const exitCodes: {
  readonly timeout: 124;
  readonly internal: 125;
  readonly notExecutable: 126;
  readonly notFound: 127;
} = {
  timeout: 124,
  internal: 125,
  notExecutable: 126,
  notFound: 127,
};

/** `code` when the program exited, 128 + N when signal N ended it (POSIX shell, "Exit Status for Commands"). */
export function exitCodeOf(code: number | null, signal: string | null): number {
  if (code !== null) return code;
  return 128 + ((signal === null ? undefined : signalNumber(signal)) ?? 0);
}
