import { statSync } from "node:fs";
import { Readable } from "node:stream";
import { AnyprocError, systemErrorCode } from "../errors.ts";
import { exitCodes } from "../exit.ts";
import type { RunningProgram } from "../process/starter.ts";
import type { LocalProgram } from "./program.ts";

/** A program that never ran, with the exit code and the message that a shell would give. */
export interface StartFailure {
  readonly exitCode: number;
  readonly message: string;
}

/**
 * Sorts what node:child_process says of a failed start.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED when it is not about the program
 */
export function startFailure(program: Pick<LocalProgram, "name" | "file" | "cwd">, error: unknown): StartFailure {
  const { name, file, cwd } = program;
  // ENOENT, ENOTDIR and EACCES may be about either; the working directory is entered first.
  if (cwd !== undefined && !isDirectory(cwd)) {
    throw new AnyprocError(
      "ANYPROC_CWD_NOT_FOUND",
      `${cwd}: no such directory to run ${name} in: create it, or change cwd`,
      {
        cause: error,
      },
    );
  }
  switch (systemErrorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return { exitCode: exitCodes.notFound, message: `anyproc: ${name}: command not found` };
    case "EACCES":
    case "EISDIR":
    case "ENOEXEC":
    case "ELOOP":
    case "UNKNOWN": // Windows: not an executable
      return { exitCode: exitCodes.notExecutable, message: `anyproc: ${name}: found, but not executable` };
    case "E2BIG":
      throw new AnyprocError(
        "ANYPROC_ARGUMENTS_TOO_LONG",
        `${name}: E2BIG: arguments and environment exceed what execve(2) takes: pass the data in a file or on stdin`,
        { cause: error },
      );
    case "EPERM":
      throw new AnyprocError("ANYPROC_START_FAILED", `${name}: EPERM: changing the user needs root: leave user unset`, {
        cause: error,
      });
    default:
      throw new AnyprocError("ANYPROC_START_FAILED", `${name}: cannot start ${file}: ${String(error)}`, {
        cause: error,
      });
  }
}

/** The ended program that stands for a failure with an exit code. */
export function failedProgram(failure: StartFailure): RunningProgram {
  return {
    stdin: null,
    stdout: null,
    stderr: Readable.from([Buffer.from(`${failure.message}\n`)]),
    exited: Promise.resolve({ code: failure.exitCode, signal: null }),
    signal() {},
    end: () => Promise.resolve(),
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
