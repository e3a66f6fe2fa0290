import { mergeEnv, type ProgramExit, type RunningProgram, signalName } from "@anyproc/core";
import { endTree } from "@anyproc/core/child-process";
import type { Addon } from "./addon.ts";
import { type ChildStreams, openChildStreams } from "./child-streams.ts";
import type { PayloadStart } from "./spawn-payload.ts";
import { toSystemError } from "./system-error.ts";

type Killable = Parameters<typeof endTree>[0];

/** Starts a payload by the addon, which neither copies this process (vfork(2)) nor tries a shell (execve(2)). */
export function startWithAddon(addon: Addon, start: PayloadStart): RunningProgram {
  const streams = openChildStreams(addon, start.command);
  const { child, exited } = startChild(addon, start, streams);
  const ours = streams.connect();
  // As node:child_process does: a source that never ends would keep it open.
  void exited.then(() => ours.stdin?.destroy());
  return {
    pid: child.pid,
    ...ours,
    exited,
    signal: (name) => void child.kill(name),
    end: (options) => endTree(child, options, exited),
  };
}

function startChild(
  addon: Addon,
  { path, argv, command, descriptors }: PayloadStart,
  streams: ChildStreams,
): { child: Killable; exited: Promise<ProgramExit> } {
  const env = Object.entries(mergeEnv(process.env, command)).map(([name, value]) => `${name}=${value}`);
  let isRunning = true;
  let report: (exit: ProgramExit) => void;
  const exited = new Promise<ProgramExit>((resolve) => {
    report = resolve;
  });
  const onExit = (code: number | null, signal: number | null): void => {
    isRunning = false;
    report({ code, signal: signal === null ? null : (signalName(signal) ?? null) });
  };
  try {
    const pid = addon.startProcess(path, argv, env, command.cwd, [...streams.descriptors, ...descriptors], onExit);
    return { child: { pid, kill: (signal) => isRunning && kill(pid, signal) }, exited };
  } catch (error) {
    streams.discard();
    throw toSystemError(error);
  }
}

/** False for a payload that may not be signalled, since it has become another user's. */
function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
