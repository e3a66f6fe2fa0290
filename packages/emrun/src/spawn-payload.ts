import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type EndOptions, mergeEnv, type ProgramExit, type RunningProgram, type SignalName } from "@anyproc/core";
import { endTree } from "@anyproc/core/child-process";
import { type CombinedPipe, createCombinedPipe } from "./combined-pipe.ts";
import type { PayloadFile } from "./payload-file.ts";
import { isStream, policyOf, type RunCommand } from "./runner.ts";

/** Starts a file of a payload on this machine. Rejects with what node:child_process says. */
export type SpawnPayload = (file: PayloadFile, command: RunCommand) => Promise<RunningProgram>;

export const spawnPayload: SpawnPayload = async (file, command) => {
  const isCombined = isStream(command.stdout) && command.stdout === command.stderr;
  const pipe = isCombined ? createCombinedPipe() : undefined;
  let child: ChildProcess;
  try {
    child = await spawnChild(file, command, pipe?.descriptor);
  } catch (error) {
    pipe?.discard();
    throw error;
  }
  return runningProgram(child, pipe);
};

async function spawnChild(file: PayloadFile, command: RunCommand, combined: number | undefined): Promise<ChildProcess> {
  const { descriptors = [], args = [], cwd } = command;
  const outputs = combined === undefined ? [stdio(command.stdout), stdio(command.stderr)] : [combined, combined];
  // A child has no descriptors but those listed here. The payload's comes after the caller's, whose numbers thus are
  // the same with a temporary file. It stays open in the payload: an interpreter opens the script by it, at any time.
  const inherited = file.path === undefined ? [...descriptors, file.descriptor] : descriptors;
  const path = file.path ?? `/proc/self/fd/${2 + inherited.length}`;
  const child = spawn(path, args, {
    argv0: command.argv0 ?? path,
    cwd,
    env: mergeEnv(process.env, command),
    stdio: [stdio(command.stdin), ...outputs, ...inherited],
    windowsHide: true,
  });
  if (child.pid !== undefined) return child;
  const error = await new Promise((resolve) => child.once("error", resolve));
  for (const stream of child.stdio) stream?.destroy();
  throw error;
}

function stdio(stream: RunCommand["stdin" | "stdout" | "stderr"]): "ignore" | "inherit" | "pipe" {
  const policy = policyOf(stream);
  return policy === "null" ? "ignore" : policy;
}

function runningProgram(child: ChildProcess, pipe: CombinedPipe | undefined): RunningProgram {
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  // "error" may follow the start when a signal cannot be sent; without a listener it would end this process.
  child.on("error", () => {});
  return {
    pid: child.pid,
    stdin: child.stdin as Writable | null,
    stdout: pipe?.open() ?? (child.stdout as Readable | null),
    stderr: child.stderr as Readable | null,
    exited,
    signal(name: SignalName): void {
      child.kill(name);
    },
    end: (options: EndOptions) => endTree(child, options, exited),
  };
}
