import { systemErrorCode } from "../errors.ts";

/** True until the process has ended and has been waited for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process, a set-user-ID program for instance, may not be signalled: kill(2), EPERM.
    return systemErrorCode(error) === "EPERM";
  }
}
