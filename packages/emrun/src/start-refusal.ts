import { accessSync, constants } from "node:fs";
import { AnyprocError, systemErrorCode } from "@anyproc/core";
import { formatProblem, scriptInterpreter, startFailure } from "@anyproc/core/child-process";
import { type RunError, startError } from "./run-error.ts";
import type { RunCommand } from "./runner.ts";

/** True when the system refuses to execute the file, as a security module does; what else may be wrong is not that. */
export function isRefusal(error: unknown, command: RunCommand): error is Error {
  const code = systemErrorCode(error);
  return (code === "EACCES" || code === "EPERM") && canEnter(command.cwd);
}

/**
 * What a failed start means.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_INVALID_OPTION, ANYPROC_START_FAILED when it is not
 * about the payload
 */
export function explainStart(name: string, header: Buffer, command: RunCommand, error: unknown): RunError {
  const code = systemErrorCode(error);
  if (code === "EACCES" && !canEnter(command.cwd)) {
    throw new AnyprocError(
      "ANYPROC_CWD_NOT_FOUND",
      `${command.cwd}: may not be entered to run ${name} there: change its permissions, or change cwd`,
      { cause: error },
    );
  }
  if (code === "EBADF") {
    const numbers = JSON.stringify(command.descriptors);
    throw new AnyprocError("ANYPROC_INVALID_OPTION", `descriptors is ${numbers}: give open ones only`, {
      cause: error,
    });
  }
  const notExecutable = (why: string): RunError =>
    startError("ANYPROC_EMRUN_NOT_EXECUTABLE", 126, `${name}: cannot be executed: ${why}`, error);
  if (code === "ENOEXEC") return notExecutable(formatProblem(header) ?? "this system refuses its format");
  if (isRefusal(error, command) || code === "ETXTBSY") {
    return notExecutable(
      `${code}: is its directory mounted noexec, is it open for writing elsewhere, or is its interpreter not ` +
        "executable? Another directory can be named in TMPDIR or tempDirectory",
    );
  }
  const { exitCode } = startFailure({ name, file: "it", cwd: command.cwd }, error);
  if (exitCode !== 127) return notExecutable(code ?? String(error));
  const interpreter = scriptInterpreter(header);
  const missing =
    interpreter === undefined
      ? "the loader that it names (PT_INTERP, elf(5)) is not on this machine: install it, or use a static build"
      : `the interpreter ${JSON.stringify(interpreter)} of its first line is not on this machine: install it`;
  return startError("ANYPROC_EMRUN_INTERPRETER_NOT_FOUND", 127, `${name}: ${missing}`, error);
}

function canEnter(directory: string | undefined): boolean {
  if (directory === undefined) return true;
  try {
    accessSync(directory, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
