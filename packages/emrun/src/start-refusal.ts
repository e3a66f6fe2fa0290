import { accessSync, constants } from "node:fs";
import { systemErrorCode } from "@anyproc/core";
import { startFailure } from "@anyproc/core/child-process";
import { scriptInterpreter } from "./payload-format.ts";
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
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED when it is not about the payload
 */
export function explainStart(name: string, header: Buffer, command: RunCommand, error: unknown): RunError {
  const code = systemErrorCode(error);
  if (isRefusal(error, command) || code === "ETXTBSY") {
    return startError(
      "ANYPROC_EMRUN_NOT_EXECUTABLE",
      126,
      `${name}: cannot be executed (${code}): is its directory mounted noexec, or open for writing elsewhere? Name ` +
        "another one in TMPDIR or tempDirectory",
      error,
    );
  }
  const { exitCode } = startFailure({ name, file: name, cwd: command.cwd }, error);
  if (exitCode !== 127) {
    return startError("ANYPROC_EMRUN_NOT_EXECUTABLE", 126, `${name}: cannot be executed: ${code}`, error);
  }
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
