import { constants } from "node:os";

const names = new Map<number, string>(Object.entries(constants.errno).map(([name, number]) => [-number, name]));

/** The addon's error with the `code` that Node's own have. */
export function toSystemError(error: unknown): unknown {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return error;
  const code = names.get(error.errno) ?? "UNKNOWN";
  return Object.assign(error, { code, message: `${error.message} (${code})` });
}
