import { isAnyprocError } from "@anyproc/core";
import { exitCodes } from "../exit-codes.ts";

type Emrun = typeof import("@anyproc/emrun");

/** A payload that cannot be run, under the name that the user gave it, with the exit status that a shell would give. */
export class PayloadError extends Error {
  override readonly name: string = "PayloadError";
  readonly code: string;
  readonly exitCode: number;

  constructor(message: string, code: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** What the library throws, which knows the digest only, under the file's name; undefined for a defect. */
export function toPayloadError(library: Emrun, file: string, error: unknown): PayloadError | undefined {
  if (error instanceof PayloadError) return error;
  if (!isAnyprocError(error)) return undefined;
  const message = `${file === "-" ? "standard input" : file}: ${error.message}`;
  return new PayloadError(message, error.code, exitCodeOf(library, error), { cause: error.cause });
}

function exitCodeOf(library: Emrun, error: Error): number {
  if (error instanceof library.RunError) return error.exitCode;
  const isRefused = error instanceof library.PolicyError || isAnyprocError(error, "ANYPROC_EMRUN_EMPTY");
  return isRefused ? 126 : exitCodes.internal;
}
