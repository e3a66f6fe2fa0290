import { Readable } from "node:stream";
import { AnyprocError, type Command, exitCodes, isAnyprocError, programName, type RunningProgram } from "@anyproc/core";
import { refusalText } from "../connection/daemon-error.ts";

/**
 * Sorts why a program was not started. One that is missing or not executable has ended already, with the exit code and
 * the message of a shell, as in every environment.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_START_FAILED; the error itself when it is not about the program
 */
export function failedStart(where: string, command: Command, cwd: string | undefined, error: unknown): RunningProgram {
  if (!isAnyprocError(error, "ANYPROC_DOCKER_REFUSED")) throw error;
  const name = programName(command);
  const text = refusalText(error.cause);
  if (
    /chdir to cwd|mkdir:? .*(read-only file system|not a directory)|workdir .*(does not exist|is not a directory)/i.test(
      text,
    )
  ) {
    throw cwdNotFound(where, cwd, error);
  }
  if (/container-init|docker-init|init binary/i.test(text)) {
    throw startFailed(
      where,
      name,
      `${text}: install tini (docker) or catatonit (podman) over there, or set init: false`,
      error,
    );
  }
  if (/executable file not found|exec: ".*: no such file or directory/i.test(text)) {
    return endedProgram(exitCodes.notFound, `anyproc: ${name}: command not found`);
  }
  if (/exec: ".*: (permission denied|is a directory|exec format error)/i.test(text)) {
    return endedProgram(exitCodes.notExecutable, `anyproc: ${name}: found, but not executable`);
  }
  if (/argument list too long/i.test(text)) {
    throw new AnyprocError(
      "ANYPROC_ARGUMENTS_TOO_LONG",
      `${name}: arguments and variables exceed what execve(2) takes: pass the data in a file or on stdin`,
      { cause: error },
    );
  }
  throw startFailed(where, name, text, error);
}

function startFailed(where: string, name: string, reason: string, cause: unknown): AnyprocError {
  return new AnyprocError("ANYPROC_START_FAILED", `${where}: ${name} was not started: ${reason}`, { cause });
}

export function cwdNotFound(where: string, cwd: string | undefined, cause?: unknown): AnyprocError {
  return new AnyprocError(
    "ANYPROC_CWD_NOT_FOUND",
    `${where}: cwd ${cwd}: there is no such directory in it: create it, or change cwd`,
    { cause },
  );
}

function endedProgram(code: number, message: string): RunningProgram {
  return {
    stdin: null,
    stdout: null,
    stderr: Readable.from([Buffer.from(`${message}\n`)]),
    exited: Promise.resolve({ code, signal: null }),
    signal() {},
    end: () => Promise.resolve(),
  };
}
