import type { Readable } from "node:stream";
import { AnyprocError, type ErrorCode } from "@anyproc/core";
import { errorName, memfdRemedy, procRemedy, seccompRemedy } from "./remedies.ts";

/** Why a run could not begin: the launcher's `CODE ERRNO OBJECT` line. */
export interface LauncherReport {
  readonly code: string;
  readonly errno: number;
  readonly object: string;
}

interface Failure {
  readonly code: ErrorCode;
  readonly text: (object: string, errno: number) => string;
}

/** What to say, and what to do about it, for each of the launcher's codes that is not about the program. */
const failures: Readonly<Record<string, Failure>> = {
  rootfs: {
    code: "ANYPROC_ROOTFS_NOT_FOUND",
    text: (object) => `rootfs ${object}: cannot be opened: does it exist, and may you enter it?`,
  },
  bind: {
    code: "ANYPROC_INVALID_OPTION",
    text: (object) => `bind ${object}: cannot be opened: create it, or make it optional (HOST:GUEST:optional)`,
  },
  cwd: {
    code: "ANYPROC_CWD_NOT_FOUND",
    text: (object) => `${object}: no such directory in the guest: create it, or change cwd`,
  },
  seccomp: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: (_object, errno) =>
      `seccomp filters are refused (${errorName(errno)}), which the engine needs: ${seccompRemedy(errno)}`,
  },
  memfd: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: (_object, errno) => `memfd_create is refused (${errorName(errno)}), which the engine needs: ${memfdRemedy}`,
  },
  shim: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: (object) => `${object}: the engine's shim cannot be executed: does it lie on a file system mounted noexec?`,
  },
  proc: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: () => `/proc cannot be read, which the engine needs: ${procRemedy}`,
  },
  nested: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: () =>
      "this program runs in the engine already, which cannot run in itself: start it outside, or use the host environment",
  },
  "file-size": {
    code: "ANYPROC_START_FAILED",
    text: () => "the limit on file sizes leaves no room for the engine's own configuration: raise `ulimit -f`",
  },
  scratch: {
    code: "ANYPROC_ENGINE_REFUSED",
    text: (object) =>
      `${object}: no temporary directory can be made there, which binds without a place in the rootfs need: set TMPDIR to one that you may write to`,
  },
  processes: {
    code: "ANYPROC_START_FAILED",
    text: () =>
      "too many processes are running here: end some, or raise the limit (`ulimit -u`, or the cgroup's pids.max)",
  },
  descriptors: {
    code: "ANYPROC_START_FAILED",
    text: () => "too few file descriptors are left for the engine: raise `ulimit -n`, or close some",
  },
  "too-long": {
    code: "ANYPROC_ARGUMENTS_TOO_LONG",
    text: (object) =>
      `${object}: E2BIG: arguments and environment exceed what execve(2) takes: pass the data in a file or on stdin`,
  },
};

/** Reads the launcher's line; undefined when it closes the descriptor without one, which means that the program runs. */
export async function readReport(stream: Readable): Promise<LauncherReport | undefined> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  const [, code, errno, object] = /^(\S+) (-?\d+) (.*)\n$/s.exec(text) ?? [];
  if (code === undefined || errno === undefined || object === undefined) return undefined;
  return { code, errno: Number(errno), object };
}

/** The error for a report; undefined when the run has an exit code of its own (127, 126) to show for it. */
export function reportError(report: LauncherReport): AnyprocError | undefined {
  if (["not-found", "not-executable", "noexec", "interpreter", "wrong-architecture"].includes(report.code))
    return undefined;
  const failure = failures[report.code];
  if (failure) return new AnyprocError(failure.code, failure.text(report.object, report.errno));
  return new AnyprocError(
    "ANYPROC_START_FAILED",
    `the engine could not begin: ${report.code} (${errorName(report.errno)}) on ${report.object}: report it with this line`,
  );
}
