import type { Readable } from "node:stream";
import { type Command, type CommandInput, displayCommand, toCommand } from "./command.ts";
import type { Environment, SpawnOptions } from "./environment.ts";
import { AnyprocError } from "./errors.ts";
import type { Process } from "./process/process.ts";
import type { SignalName } from "./signals.ts";

/** Options of exec(). */
export interface ExecOptions extends SpawnOptions {
  /** What the program reads; without it, stdin is at its end from the start. */
  readonly input?: string | Uint8Array | Readable;
  /** Return a failure instead of throwing it. @default true */
  readonly reject?: boolean;
  /** Take one line end off the end of stdout and stderr. @default false */
  readonly trimFinalNewline?: boolean;
  /** The program is ended when stdout and stderr together exceed this many bytes. @default 104857600 (100 MiB) */
  readonly maxOutputBytes?: number;
}

/** What a finished command said and how it ended; success and failure have the same shape. */
export interface ExecResult {
  /** The command as one line for people. */
  readonly command: string;
  /** As a shell's `$?`. */
  readonly exitCode: number;
  readonly signal: SignalName | null;
  /** UTF-8 text; see `stdoutBytes` for the bytes. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderrBytes: Uint8Array;
  readonly durationMs: number;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** True when the kernel ended the program because its memory limit was reached; only where that can be told. */
  readonly outOfMemory?: boolean;
  /** True for anything but exit code 0. */
  readonly failed: boolean;
}

/** A command that failed: an error that is also the result. */
export class ExitError extends AnyprocError implements ExecResult {
  override readonly name: string = "ExitError";
  readonly command!: string;
  readonly exitCode!: number;
  readonly signal!: SignalName | null;
  readonly stdout!: string;
  readonly stderr!: string;
  readonly stdoutBytes!: Uint8Array;
  readonly stderrBytes!: Uint8Array;
  readonly durationMs!: number;
  readonly timedOut!: boolean;
  readonly aborted!: boolean;
  readonly failed!: boolean;

  constructor(result: ExecResult, cause?: unknown) {
    super("ANYPROC_EXIT", describe(result), cause === undefined ? undefined : { cause });
    Object.assign(this, result);
    // They would drown everything else when the error is printed; `stdout` and `stderr` show the same.
    Object.defineProperty(this, "stdoutBytes", { enumerable: false });
    Object.defineProperty(this, "stderrBytes", { enumerable: false });
  }
}

/**
 * Runs a command to its end and keeps its output.
 *
 * @throws ExitError (ANYPROC_EXIT) unless the exit code is 0 or `reject` is false; ANYPROC_OUTPUT_LIMIT; what
 * Process.start() throws; ANYPROC_INPUT_FAILED when an `input` stream fails
 * @example
 * const { stdout } = await exec(createHost(), ["git", "rev-parse", "HEAD"], { trimFinalNewline: true });
 */
export async function exec(
  environment: Environment,
  input: CommandInput,
  options: ExecOptions = {},
): Promise<ExecResult> {
  const { reject = true, maxOutputBytes = 100 * 1024 * 1024, trimFinalNewline = false } = options;
  if (!(maxOutputBytes >= 0)) {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", `maxOutputBytes is ${maxOutputBytes}: give a number of bytes`);
  }
  if (typeof environment?.create !== "function") {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      "exec(): the first argument is no environment: give one, and await what makes it, as in await createProot()",
    );
  }
  const command = toCommand(input);
  checkInput(options.input, command);
  const stdin = command.stdin ?? (options.input === undefined ? "null" : "pipe");
  const process = environment.create({ ...command, stdin }, options);
  const startedAt = performance.now();
  let cannotEnd: (error: unknown) => void = () => {};
  const outOfReach = new Promise<never>((_, reject) => {
    cannotEnd = reject;
  });
  // It may come before anybody waits.
  outOfReach.catch(() => {});
  const budget = { left: maxOutputBytes, exceeded: () => void process.kill().catch(cannotEnd) };
  const stdout = collect(process.forkStdout(), budget);
  const stderr = collect(process.forkStderr(), budget);
  if (options.input !== undefined) feed(process, options.input);
  await process.start();
  const exit = await Promise.race([process.wait(), outOfReach]);
  if (budget.left < 0) {
    throw new AnyprocError(
      "ANYPROC_OUTPUT_LIMIT",
      `${displayCommand(process.command)}: more than ${maxOutputBytes} bytes of output: raise maxOutputBytes, or ` +
        "spawn() it and read the streams",
    );
  }
  const stdoutBytes = Buffer.concat(stdout);
  const stderrBytes = Buffer.concat(stderr);
  const toText = (bytes: Buffer): string =>
    trimFinalNewline ? bytes.toString("utf8").replace(/\r?\n$/, "") : bytes.toString("utf8");
  const result: ExecResult = {
    command: displayCommand(process.command),
    exitCode: exit.exitCode,
    signal: exit.signal,
    stdout: toText(stdoutBytes),
    stderr: toText(stderrBytes),
    stdoutBytes,
    stderrBytes,
    durationMs: performance.now() - startedAt,
    timedOut: exit.timedOut,
    aborted: exit.aborted,
    ...(exit.outOfMemory && { outOfMemory: true }),
    failed: exit.exitCode !== 0 || exit.timedOut || exit.aborted,
  };
  if (result.failed && reject) throw new ExitError(result, exit.aborted ? options.signal?.reason : undefined);
  return result;
}

function collect(stream: Readable, budget: { left: number; readonly exceeded: () => void }): Buffer[] {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => {
    const had = budget.left;
    budget.left -= chunk.length;
    if (budget.left >= 0) chunks.push(chunk);
    else if (had >= 0) budget.exceeded();
  });
  return chunks;
}

function checkInput(input: unknown, { stdin = "pipe" }: Command): void {
  if (input === undefined) return;
  const isStream = typeof (input as Readable | null)?.pipe === "function";
  if (typeof input !== "string" && !(input instanceof Uint8Array) && !isStream) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `input is of type ${typeof input}: give text, bytes or a Readable`,
    );
  }
  if (stdin !== "pipe") {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", `input is given, but stdin is "${stdin}": leave one of them out`);
  }
}

function feed(process: Process, input: string | Uint8Array | Readable): void {
  if (typeof input === "string" || input instanceof Uint8Array) process.stdin.end(input);
  else process.attachStdin(input);
}

function describe(result: ExecResult): string {
  const how = result.timedOut
    ? "timed out"
    : result.aborted
      ? "was aborted"
      : result.outOfMemory
        ? "ran out of memory"
        : result.signal
          ? `was ended by ${result.signal}`
          : `exited with ${result.exitCode}`;
  const lastLine = result.stderr.trimEnd().split("\n").at(-1);
  return `${result.command}: ${how}${lastLine ? `: ${lastLine}` : ""}`;
}
