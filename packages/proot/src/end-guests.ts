import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { EndOptions } from "@anyproc/core";

/**
 * Ends a guest and everything it started. The launcher passes the asking signal on; its own end is the end of every
 * guest, wherever they have gone, since each holds a pipe of the launcher's that kills its readers when it closes.
 */
export async function endGuests(child: ChildProcess, options: EndOptions, exited: Promise<unknown>): Promise<void> {
  if (options.killSignal === "SIGKILL") {
    child.kill("SIGKILL");
  } else {
    child.kill(options.killSignal);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.forceKillAfterMs);
    await exited;
    clearTimeout(timer);
  }
  await exited;
}

/** SIGSTOP cannot be caught, so the launcher cannot pass it on: it goes to the first guest directly. */
export function stopGuest(launcherPid: number): void {
  const children = readFileSync(`/proc/${launcherPid}/task/${launcherPid}/children`, "utf8");
  const first = children.trim().split(" ")[0];
  if (first) process.kill(Number(first), "SIGSTOP");
}
