import type { ChildProcess } from "node:child_process";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { AnyprocError, type RunningProgram, type SignalName } from "@anyproc/core";
import { type LocalProgram, startChild } from "@anyproc/core/child-process";
import { endGuests, stopGuest } from "./end-guests.ts";
import type { LauncherDescriptors } from "./launcher-arguments.ts";
import { readReport, reportError } from "./launcher-report.ts";
import { type RefusedCall, readRefusedCalls } from "./refused-calls.ts";

/**
 * Starts a guest on pipes, with more of them beside the three: for the reason why it cannot run, for its life, and for
 * what is refused to it.
 *
 * @param program the launcher's command line, for the descriptors that it will have
 */
export async function startGuest(
  program: (descriptors: LauncherDescriptors) => LocalProgram,
  onRefusedCall?: (call: RefusedCall) => void,
): Promise<RunningProgram> {
  const descriptors = { reportDescriptor: 3, lifeDescriptor: 4, ...(onRefusedCall && { diagnosticsDescriptor: 5 }) };
  const launcher = program(descriptors);
  const running = await startChild(launcher, { extraPipes: Object.keys(descriptors).length, end: endGuests });
  const { child } = running;
  if (!child) {
    throw new AnyprocError(
      "ANYPROC_ENGINE_REFUSED",
      `${launcher.file}: the engine cannot be executed: ${running.stderr ? (await text(running.stderr)).trim() : "?"}`,
    );
  }
  holdLife(child, running.exited);
  const pipes: readonly unknown[] = child.stdio;
  const refusals = pipes[5];
  const told = onRefusedCall && refusals instanceof Readable ? readRefusedCalls(refusals, onRefusedCall) : undefined;
  const report = await readReport(child.stdio[3] as Readable);
  const error = report && reportError(report);
  if (error) {
    for (const stream of child.stdio) stream?.destroy();
    await running.exited;
    throw error;
  }
  return {
    ...running,
    // Not before everything that was refused has been told.
    exited: Promise.all([running.exited, told]).then(([exit]) => exit),
    signal(name: SignalName): void | Promise<void> {
      if (name === "SIGSTOP" && running.pid !== undefined) stopGuest(running.pid);
      else return running.signal(name);
    },
  };
}

/** Nothing is ever said on it: however this process ends, its end of the pipe closes, and the launcher ends the guests. */
function holdLife(child: ChildProcess, exited: Promise<unknown>): void {
  const life = child.stdio[4];
  life?.on("error", () => {});
  void exited.then(() => life?.destroy());
}
