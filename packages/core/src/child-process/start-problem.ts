import { statSync } from "node:fs";
import { scriptInterpreter } from "./executable-format.ts";
import { findProgram, firstCandidate, type ProgramFile } from "./find-program.ts";
import { readHeader } from "./read-header.ts";

/** What execve(2) leaves unsaid with EACCES: why a program that is there may not be executed. */
export function permissionProblem(program: ProgramFile): string | undefined {
  if (process.platform === "win32") return undefined;
  const path = firstCandidate(program);
  const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.isDirectory()) return "it is a directory: name a program";
  if ((stats.mode & 0o111) === 0) return `nobody may execute it: chmod +x ${path}`;
  return "you may not execute it, its interpreter is not executable, or it lies on a file system mounted noexec";
}

/** What execve(2) leaves unsaid with ENOENT: that the program is there, and what executes it is not. */
export function interpreterProblem(program: ProgramFile): string | undefined {
  if (process.platform === "win32") return undefined;
  const path = findProgram(program);
  const header = path === undefined ? undefined : readHeader(path);
  if (!header) return undefined;
  const interpreter = scriptInterpreter(header);
  return interpreter === undefined
    ? "the loader that it names (PT_INTERP, elf(5)) is missing: install that C library, or use a static build"
    : `its interpreter is missing: install ${JSON.stringify(interpreter)}, or correct the first line of ${path}`;
}
