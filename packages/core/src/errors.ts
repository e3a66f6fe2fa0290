/**
 * Every stable error code. Compare codes, not classes: several copies of this package may be loaded.
 * The table in the README says when each one is raised and what to do about it.
 */
export type ErrorCode =
  | "ANYPROC_ALREADY_RUNNING"
  | "ANYPROC_NOT_RUNNING"
  | "ANYPROC_CLOSED"
  | "ANYPROC_EXIT"
  | "ANYPROC_INVALID_COMMAND"
  | "ANYPROC_INVALID_OPTION"
  | "ANYPROC_ARGUMENTS_TOO_LONG"
  | "ANYPROC_CWD_NOT_FOUND"
  | "ANYPROC_START_FAILED"
  | "ANYPROC_OUTPUT_LIMIT"
  | "ANYPROC_INPUT_FAILED"
  | "ANYPROC_SINK_FAILED"
  | "ANYPROC_UNSUPPORTED"
  | "ANYPROC_MISSING_PACKAGE"
  | "ANYPROC_UNKNOWN_ENVIRONMENT"
  | "ANYPROC_DUPLICATE_ENVIRONMENT"
  | "ANYPROC_ROOTFS_NOT_FOUND"
  | "ANYPROC_ROOTFS_INVALID"
  | "ANYPROC_UNSAFE_PATH"
  | "ANYPROC_ARCHIVE_INVALID"
  | "ANYPROC_ENGINE_REFUSED"
  // Other packages add their own codes without a release of core.
  | `ANYPROC_${Uppercase<string>}`;

/** A failure of anyproc itself or of what it was asked to use. The message says what, on which object, and the remedy. */
export class AnyprocError extends Error {
  override readonly name: string = "AnyprocError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** True for an error with one of our codes, whichever copy of the package made it. */
export function isAnyprocError(error: unknown, code?: ErrorCode): error is AnyprocError {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return code === undefined ? error.code.startsWith("ANYPROC_") : error.code === code;
}

/** The error code that node:fs and node:child_process put on their errors (`ENOENT`, `EACCES`, ...). */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

/** The remedy sentence for a feature that an environment does not have. */
export function unsupported(environment: string, feature: string, remedy: string): AnyprocError {
  return new AnyprocError("ANYPROC_UNSUPPORTED", `${environment}: ${feature} is not supported here: ${remedy}`);
}
