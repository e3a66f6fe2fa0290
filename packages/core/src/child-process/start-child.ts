import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { hold } from "../process/hold.ts";
import type { EndOptions, ProgramExit, RunningProgram } from "../process/starter.ts";
import type { SignalName } from "../signals.ts";
import { endTree } from "./end-tree.ts";
import type { LocalProgram } from "./program.ts";
import { failedProgram, startFailure } from "./start-failure.ts";

/** Changes the stdio list before the start, for descriptors beyond the three; see node:child_process `stdio`. */
export interface StartChildOptions {
  /** Pipes beyond stderr: descriptor 3 and up in the child. @default 0 */
  readonly extraPipes?: number;
  /** Ends the program and its descendants. @default by the process table, see endTree() */
  readonly end?: (child: ChildProcess, options: EndOptions, exited: Promise<unknown>) => Promise<void>;
}

/** A started program and the pipes beyond stderr. */
export interface StartedChild extends RunningProgram {
  readonly child: ChildProcess | undefined;
}

/**
 * Starts a program on this machine.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED. A program that is missing or
 * cannot be executed is a result with exit code 127 or 126 instead, as in a shell.
 */
export async function startChild(program: LocalProgram, options: StartChildOptions = {}): Promise<StartedChild> {
  const { user, stdin = "pipe", stdout = "pipe", stderr = "pipe" } = program;
  const policies = [stdin, stdout, stderr].map((policy) => (policy === "null" ? "ignore" : policy));
  let child: ChildProcess;
  try {
    child = spawn(program.file, program.args, {
      cwd: program.cwd,
      env: program.env,
      stdio: [...policies, ...Array<"pipe">(options.extraPipes ?? 0).fill("pipe")],
      detached: program.detached ?? false,
      windowsHide: true,
      ...(user && { uid: user.uid, ...(user.gid !== undefined && { gid: user.gid }) }),
    });
  } catch (error) {
    return { ...failedProgram(startFailure(program, error)), child: undefined };
  }
  if (child.pid === undefined) {
    const error = await new Promise((resolve) => child.once("error", resolve));
    for (const stream of child.stdio) stream?.destroy();
    return { ...failedProgram(startFailure(program, error)), child: undefined };
  }
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once("exit", (code, signal) => {
      hold(child.stdout);
      hold(child.stderr);
      resolve({ code, signal });
    });
  });
  // "error" may follow the start when a signal cannot be sent; without a listener it would end this process.
  child.on("error", () => {});
  const end = options.end ?? endTree;
  return {
    child,
    pid: child.pid,
    stdin: child.stdin as Writable | null,
    stdout: child.stdout as Readable | null,
    stderr: child.stderr as Readable | null,
    exited,
    signal(name: SignalName): void {
      child.kill(name);
    },
    end: (endOptions) => end(child, endOptions, exited),
  };
}
