import type { Argument } from "../command.ts";
import { AnyprocError } from "../errors.ts";

// execve(2), "Limits on size of arguments and environment": one string, and all of them on Linux's usual stack.
const maxStringBytes = 128 * 1024 - 1;
const maxTotalBytes = 2 * 1024 * 1024;
// Each string's end, and the pointer to it.
const overheadBytes = 9;

/**
 * Refuses arguments and variables that execve(2) would not take over there, where nobody could name the reason.
 *
 * @throws ANYPROC_ARGUMENTS_TOO_LONG
 */
export function checkArgumentsLength(strings: readonly Argument[]): void {
  let total = 0;
  for (const string of strings) {
    const bytes = typeof string === "string" ? Buffer.byteLength(string) : string.length;
    total += bytes + overheadBytes;
    if (bytes > maxStringBytes)
      throw argumentsTooLong(`an argument or variable has ${bytes} bytes, ${maxStringBytes} fit`);
  }
  if (total > maxTotalBytes)
    throw argumentsTooLong(`arguments and variables have ${total} bytes, ${maxTotalBytes} fit`);
}

/** The error for a command that does not fit, whatever the reason. */
export function argumentsTooLong(reason: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_ARGUMENTS_TOO_LONG",
    `the command is too long: ${reason}: pass the data in a file or on stdin`,
  );
}
