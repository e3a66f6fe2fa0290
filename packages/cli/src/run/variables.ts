import { UsageError } from "../usage-error.ts";

/** Environment variables by name. */
export type Variables = Record<string, string>;

/**
 * Reads `NAME=VALUE`, or `NAME` for the value that it has here; a variable that is not set here is not passed on, as
 * in docker-run(1).
 *
 * @throws UsageError when no name stands before the "="
 */
export function parseVariable(text: string): Variables {
  const end = text.indexOf("=");
  const name = end === -1 ? text : text.slice(0, end);
  if (name === "") throw new UsageError(`--env ${text}: there is no name before the "=": write NAME=VALUE, or NAME`);
  const value = end === -1 ? process.env[name] : text.slice(end + 1);
  return value === undefined ? {} : { [name]: value };
}
