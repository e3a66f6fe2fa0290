import { Readable } from "node:stream";
import { AnyprocError, systemErrorCode } from "../errors.ts";
import { exitCodes } from "../exit.ts";
import type { RunningProgram } from "../process/starter.ts";
import { checkDirectory } from "./check-directory.ts";
import { isMissingFromPath, type ProgramFile } from "./find-program.ts";
import type { LocalProgram } from "./program.ts";
import { interpreterProblem, permissionProblem } from "./start-problem.ts";

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
export function startFailure(
  program: Pick<LocalProgram, "name" | "file" | "cwd"> & Partial<ProgramFile>,
  error: unknown,
): StartFailure {
  const { name, file, cwd, env } = program;
  // ENOENT, ENOTDIR and EACCES may be about either; the working directory is entered first.
  checkDirectory(program, error);
  switch (systemErrorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return notFound(name, env && interpreterProblem({ file, cwd, env }));
    case "EACCES":
      // execvp(3) says so, too, when it has found nothing, but may not search a directory of PATH.
      if (env && isMissingFromPath({ file, cwd, env })) return notFound(name);
      return notExecutable(name, env && permissionProblem({ file, cwd, env }));
    case "EISDIR":
    case "ENOEXEC":
    case "ELOOP":
    case "UNKNOWN": // Windows: not an executable
      return notExecutable(name);
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

/** No file has this name, or `why` says what else is missing. */
export function notFound(name: string, why = "command not found"): StartFailure {
  return { exitCode: exitCodes.notFound, message: `anyproc: ${name}: ${why}` };
}

/** There is a file, which cannot be executed. */
export function notExecutable(name: string, why?: string): StartFailure {
  return {
    exitCode: exitCodes.notExecutable,
    message: `anyproc: ${name}: found, but not executable${why === undefined ? "" : `: ${why}`}`,
  };
}

/**
 * The ended program that stands for a failure with an exit code.
 *
 * @param stream where its message goes: on a terminal all output is stdout
 */
export function failedProgram(failure: StartFailure, stream: "stdout" | "stderr" = "stderr"): RunningProgram {
  return {
    stdin: null,
    stdout: null,
    stderr: null,
    [stream]: Readable.from([Buffer.from(`${failure.message}\n`)]),
    exited: Promise.resolve({ code: failure.exitCode, signal: null }),
    signal() {},
    end: () => Promise.resolve(),
  };
}
