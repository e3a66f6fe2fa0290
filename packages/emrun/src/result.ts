import { type Exit, exitCodes } from "@anyproc/core";
import { RunError, type RunResult } from "./run-error.ts";

/** Everything about a run that has ended. */
export interface Ending {
  /** What ran, for messages. */
  readonly name: string;
  readonly exit: Exit;
  readonly combinedOutput: Buffer | null;
  /** Why it was aborted, if it was. */
  readonly abortReason: unknown;
  /** A failure to let go of the payload; it counts when there is no other. */
  readonly releaseError: Error | undefined;
}

/** The result of a run. A payload that has ended with 0 has succeeded, even if an abort came while it did. */
export function resultOf({ name, exit, combinedOutput, abortReason, releaseError }: Ending): RunResult {
  const { exitCode, signal, timedOut, aborted } = exit;
  const result = { exitCode, signal, timedOut, aborted, combinedOutput };
  if (exitCode === 0 && !timedOut) return { ...result, error: releaseError };
  const message = `${name}: ${describe(exit)}${lastLine(combinedOutput)}`;
  return { ...result, error: new RunError("ANYPROC_EXIT", message, result, aborted ? abortReason : releaseError) };
}

/** The result of a run that something else than the payload failed in, such as the stream that it read. */
export function brokenOff(
  error: Error,
  exitCode: number = exitCodes.internal,
  combinedOutput: Buffer | null = null,
): RunResult {
  return { exitCode, signal: null, timedOut: false, aborted: false, combinedOutput, error };
}

function describe({ exitCode, signal, timedOut, aborted }: Exit): string {
  if (timedOut) return "timed out";
  if (aborted) return "was aborted";
  return signal === null ? `exited with ${exitCode}` : `was ended by ${signal}`;
}

function lastLine(output: Buffer | null): string {
  const line = output?.toString().trimEnd().split("\n").at(-1);
  return line ? `: ${line}` : "";
}
