import { constants, setPriority } from "node:os";
import { AnyprocError, type RunningProgram } from "@anyproc/core";

/** Changes a program's niceness right after its start; a program that cannot have the one asked for is ended. */
export async function setNiceness(running: RunningProgram, niceness: number, name: string): Promise<void> {
  if (running.pid === undefined) return;
  try {
    setPriority(running.pid, niceness);
  } catch (error) {
    // Ended already: there is nothing left to be nice.
    if ((error as { info?: { errno?: number } }).info?.errno === -constants.errno.ESRCH) return;
    await running.end({ killSignal: "SIGKILL", forceKillAfterMs: 0 });
    throw new AnyprocError(
      "ANYPROC_START_FAILED",
      `${name}: cannot run with niceness ${niceness}: only root may lower it, see setpriority(2)`,
      { cause: error },
    );
  }
}
