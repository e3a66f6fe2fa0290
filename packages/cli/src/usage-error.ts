/** A command line that cannot be carried out; the message says what, on which object, and what to do about it. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
  readonly code = "ANYPROC_INVALID_OPTION";
}
