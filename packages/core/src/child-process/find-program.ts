import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { LocalProgram } from "./program.ts";

/** The part of a program that says which file it is. */
export type ProgramFile = Pick<LocalProgram, "file" | "cwd" | "env">;

// What the C library takes when there is no PATH: execvp(3), confstr(3).
const defaultSearchPath = "/bin:/usr/bin";

/** The file that execvp(3) executes for a program, from its own directory and by its own PATH; POSIX only. */
export function findProgram(program: ProgramFile): string | undefined {
  return candidates(program).find((path) => isFile(path) && isExecutable(path));
}

/** The first thing by a program's name, whether or not it can be executed; POSIX only. */
export function firstCandidate(program: ProgramFile): string | undefined {
  return candidates(program).find((path) => existsSync(path));
}

/** True for a name that no directory of PATH has, not even as a file that cannot be executed. */
export function isMissingFromPath(program: ProgramFile): boolean {
  return !program.file.includes("/") && !candidates(program).some(isFile);
}

function candidates({ file, cwd = "", env }: ProgramFile): string[] {
  if (file.includes("/")) return [resolve(cwd, file)];
  // An empty entry stands for the working directory.
  return (env["PATH"] ?? defaultSearchPath).split(delimiter).map((directory) => resolve(cwd, directory, file));
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // In a directory that may not be searched: execvp(3) goes on with the next one.
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
