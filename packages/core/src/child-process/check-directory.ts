import { statSync } from "node:fs";
import { AnyprocError } from "../errors.ts";
import type { LocalProgram } from "./program.ts";

/**
 * Makes sure that there is a directory to run a program in.
 *
 * @throws ANYPROC_CWD_NOT_FOUND
 */
export function checkDirectory({ cwd, name }: Pick<LocalProgram, "cwd" | "name">, cause?: unknown): void {
  if (cwd === undefined || isDirectory(cwd)) return;
  throw new AnyprocError(
    "ANYPROC_CWD_NOT_FOUND",
    `${cwd}: no such directory to run ${name} in: create it, or change cwd`,
    { cause },
  );
}

/** True for a directory, and for a symlink to one. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    // In a directory that may not be searched.
    return false;
  }
}
