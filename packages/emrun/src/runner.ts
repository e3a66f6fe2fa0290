import { Readable, type Writable } from "node:stream";
import {
  type Capabilities,
  type Command,
  defineEnvironment,
  type Exit,
  type Process,
  type RunningProgram,
  type SpawnOptions,
  type StreamPolicy,
} from "@anyproc/core";
import { checkCommand } from "./check-command.ts";
import type { Runnable } from "./runnable.ts";

/** How a payload is run. */
export interface RunCommand {
  /** Arguments after the payload's own name. @default none */
  readonly args?: readonly string[];
  /** The name that the payload sees as its own. @default the path that it is started by */
  readonly argv0?: string;
  readonly cwd?: string;
  /** Variables; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Add `env` to the runner's own variables (true) or start with nothing else (false). @default true */
  readonly extendEnv?: boolean;
  /** Descriptors of this process that the payload gets as 3, 4 and so on. @default none */
  readonly descriptors?: readonly number[];
  /** What it reads: bytes, a stream, or this process's own stdin. @default nothing */
  readonly stdin?: Uint8Array | Readable | "inherit";
  /** Where its output goes; it is not ended. @default nowhere */
  readonly stdout?: Writable | "inherit";
  /** Where its errors go; the same stream as stdout keeps the order of writing. @default nowhere */
  readonly stderr?: Writable | "inherit";
}

/** What starts payloads: on this machine, in an environment, or in a test's script. */
export interface Runner {
  /** The name for messages. */
  readonly name: string;
  /** Starts a payload. Its streams are connected already. @throws RunError with exit code 126 or 127 */
  start(runnable: Runnable, command?: RunCommand, options?: SpawnOptions): Promise<Process>;
  /** Runs a payload to its end. @throws RunError with exit code 126 or 127 */
  run(runnable: Runnable, command?: RunCommand, options?: SpawnOptions): Promise<Exit>;
}

/** What a runner's author provides. Output of a stream that is the same for both may all come by stdout. */
export type PayloadStarter = (
  runnable: Runnable,
  command: RunCommand,
  options: SpawnOptions,
) => RunningProgram | Promise<RunningProgram>;

const capabilities: Capabilities = {
  pty: false,
  inherit: true,
  signals: process.platform === "win32" ? "terminate" : "all",
  user: false,
  files: false,
  binaryArguments: false,
  pid: "program",
  tree: "found",
  orphans: "live",
};

/** Builds the whole Runner from a starter: streams, timeouts, aborts and the end of the tree are core's. */
export function defineRunner(name: string, starter: PayloadStarter): Runner {
  async function start(runnable: Runnable, command: RunCommand = {}, options: SpawnOptions = {}): Promise<Process> {
    checkCommand(command);
    const environment = defineEnvironment({
      name,
      capabilities,
      start: () => starter(runnable, command, options),
    });
    const running = environment.create(describe(runnable, command), options);
    if (command.stdin instanceof Uint8Array) running.stdin.end(command.stdin);
    else if (command.stdin instanceof Readable) running.attachStdin(command.stdin);
    if (isStream(command.stdout)) running.attachStdout(command.stdout);
    if (isStream(command.stderr)) running.attachStderr(command.stderr);
    await running.start();
    return running;
  }

  async function run(runnable: Runnable, command?: RunCommand, options?: SpawnOptions): Promise<Exit> {
    const running = await start(runnable, command, options);
    return running.wait();
  }

  return { name, start, run };
}

/** Where one of the payload's streams leads, in core's terms. */
export function policyOf(stream: RunCommand["stdin" | "stdout" | "stderr"]): StreamPolicy {
  if (stream === undefined) return "null";
  return stream === "inherit" ? "inherit" : "pipe";
}

/** True for a stream of ours, as opposed to none and to an inherited one. */
export function isStream(stream: Writable | "inherit" | undefined): stream is Writable {
  return stream !== undefined && stream !== "inherit";
}

function describe(runnable: Runnable, command: RunCommand): Command {
  return {
    argv: [command.argv0 ?? runnable.name, ...(command.args ?? [])],
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    ...(command.env && { env: command.env }),
    stdin: policyOf(command.stdin),
    stdout: policyOf(command.stdout),
    stderr: policyOf(command.stderr),
  };
}
