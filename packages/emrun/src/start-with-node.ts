import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { mergeEnv, type ProgramExit, type RunningProgram } from "@anyproc/core";
import { endTree, formatProblem } from "@anyproc/core/child-process";
import { policyOf, type RunCommand } from "./runner.ts";
import type { PayloadStart } from "./spawn-payload.ts";

/** Starts a payload by node:child_process. stdout and stderr are two pipes, also for one stream. */
export async function startWithNode(start: PayloadStart): Promise<RunningProgram> {
  // For a format that execve(2) refuses, the C library's execvp(3), which Node.js calls, would run /bin/sh on the file.
  if (formatProblem(start.header) !== undefined) throw Object.assign(new Error("unknown format"), { code: "ENOEXEC" });
  const child = await spawnChild(start);
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  // "error" may follow the start when a signal cannot be sent; without a listener it would end this process.
  child.on("error", () => {});
  return {
    pid: child.pid,
    stdin: child.stdin as Writable | null,
    stdout: child.stdout as Readable | null,
    stderr: child.stderr as Readable | null,
    exited,
    signal: (name) => void child.kill(name),
    end: (options) => endTree(child, options, exited),
  };
}

async function spawnChild({ path, argv, command, descriptors }: PayloadStart): Promise<ChildProcess> {
  const [argv0, ...args] = argv;
  const child = spawn(path, args, {
    argv0,
    cwd: command.cwd,
    env: mergeEnv(process.env, command),
    stdio: [stdio(command.stdin), stdio(command.stdout), stdio(command.stderr), ...descriptors],
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
