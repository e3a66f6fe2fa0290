import type { Writable } from "node:stream";
import { AnyprocError, type Exit } from "@anyproc/core";
import { type Background, createBackground } from "./background.ts";
import { type Capture, captureOutput } from "./capture.ts";
import { brokenOff, resultOf } from "./result.ts";
import { RunError, type RunResult } from "./run-error.ts";
import type { RunCommand } from "./runner.ts";
import { openSession, type Payload, type RunOptions, type Session } from "./session.ts";

/** Options of runs with one stream for all output. */
export interface RunIOOptions extends RunOptions {
  /** Where stdout and stderr go, in the order of writing; it is not ended. @default nowhere */
  readonly stdout?: Writable | "inherit";
}

/** Options of runs with a stream each for output and errors. */
export interface RunIOEOptions extends RunIOOptions {
  /** Where errors go; it is not ended. @default nowhere */
  readonly stderr?: Writable | "inherit";
}

/**
 * Runs a payload to its end and keeps what it writes.
 *
 * @throws PolicyError (ANYPROC_EMRUN_DENIED); RunError for a payload that fails (ANYPROC_EXIT) or cannot be started
 * (ANYPROC_EMRUN_NOT_EXECUTABLE, ANYPROC_EMRUN_INTERPRETER_NOT_FOUND), unless `reject` is false; what open() throws
 * @example
 * const { combinedOutput } = await run(await readFile("tool"), ["--version"], { timeoutMs: 5000 });
 */
export async function run(
  payload: Payload,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const own = ownCopy(options, args);
  const capture = captureOutput(own);
  return toEnd(payload, own, capture.command, capture);
}

/** As run(), for output that goes to a stream; the result's `combinedOutput` is null. @throws as run() */
export async function runIO(
  payload: Payload,
  args: readonly string[] = [],
  options: RunIOOptions = {},
): Promise<RunResult> {
  const own = ownCopy(options, args);
  return toEnd(payload, own, oneStream(own));
}

/** As runIO(), for output and errors that go to a stream each. @throws as run() */
export async function runIOE(
  payload: Payload,
  args: readonly string[] = [],
  options: RunIOEOptions = {},
): Promise<RunResult> {
  const own = ownCopy(options, args);
  return toEnd(payload, own, own);
}

/** run() for a script given as text. Its first line names the interpreter. @throws as run() */
async function doScript(script: string, args?: readonly string[], options?: RunOptions): Promise<RunResult> {
  return run(bytesOf(script), args, options);
}

/** As run(), but resolves as soon as the payload runs. @throws what keeps it from being started */
export async function runBG(
  payload: Payload,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Background> {
  const own = ownCopy(options, args);
  const capture = captureOutput(own);
  return inBackground(payload, own, capture.command, capture);
}

/** As runIO(), but resolves as soon as the payload runs. @throws what keeps it from being started */
export async function runIOBG(
  payload: Payload,
  args: readonly string[] = [],
  options: RunIOOptions = {},
): Promise<Background> {
  const own = ownCopy(options, args);
  return inBackground(payload, own, oneStream(own));
}

/** As runIOE(), but resolves as soon as the payload runs. @throws what keeps it from being started */
export async function runIOEBG(
  payload: Payload,
  args: readonly string[] = [],
  options: RunIOEOptions = {},
): Promise<Background> {
  const own = ownCopy(options, args);
  return inBackground(payload, own, own);
}

/** As do(), but resolves as soon as the script runs. @throws what keeps it from being started */
export async function doBG(script: string, args?: readonly string[], options?: RunOptions): Promise<Background> {
  return runBG(bytesOf(script), args, options);
}

export { doScript as do };

async function toEnd(
  payload: Payload,
  options: RunOptions,
  command: RunCommand,
  capture?: Capture,
): Promise<RunResult> {
  const { signal, reject = true } = options;
  const session = await openSession(payload, options);
  let result: RunResult;
  try {
    const exit = await session.runner.run(session.payload, command, options);
    result = await finish(session, exit, signal, capture);
  } catch (error) {
    await session.release();
    if (reject || !(error instanceof RunError)) throw error;
    const { exitCode, timedOut, aborted, combinedOutput } = error;
    result = { exitCode, signal: error.signal, timedOut, aborted, combinedOutput, error };
  }
  if (result.error !== undefined && reject) throw result.error;
  return result;
}

async function inBackground(
  payload: Payload,
  options: RunOptions,
  command: RunCommand,
  capture?: Capture,
): Promise<Background> {
  const session = await openSession(payload, options);
  const cancelling = new AbortController();
  const signals = [cancelling.signal, ...(options.signal ? [options.signal] : [])];
  const signal = AbortSignal.any(signals);
  try {
    const running = await session.runner.start(session.payload, command, { ...options, signal });
    const done = running.wait().then(
      (exit) => finish(session, exit, signal, capture),
      async (error: Error) => {
        await session.release();
        return brokenOff(error, running.exitCode, capture?.finish() ?? null);
      },
    );
    return createBackground(running.pid, done, (reason) => cancelling.abort(reason), options.reject ?? true);
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function finish(
  session: Session,
  exit: Exit,
  signal: AbortSignal | undefined,
  capture: Capture | undefined,
): Promise<RunResult> {
  return resultOf({
    name: session.payload.label,
    exit,
    combinedOutput: capture?.finish() ?? null,
    abortReason: signal?.reason,
    releaseError: await session.release(),
  });
}

/** What was asked for, as it is now: what the caller changes afterwards is for another run. */
function ownCopy<Options extends RunOptions>(options: Options, args: readonly string[]): Options & RunCommand {
  const own = { ...options };
  const { env, descriptors } = own;
  return {
    ...own,
    args: copyOf(args),
    ...(descriptors && { descriptors: copyOf(descriptors) }),
    ...(typeof env === "object" && { env: { ...env } }),
  };
}

/** What is no list is refused later. */
function copyOf<Item>(list: readonly Item[]): readonly Item[] {
  return Array.isArray(list) ? [...list] : list;
}

function oneStream(options: RunIOOptions & RunCommand): RunCommand {
  if ("stderr" in options) throw invalid("one stream takes all output, so stderr cannot have its own: use runIOE()");
  const { stdout } = options;
  return { ...options, ...(stdout !== undefined && { stderr: stdout }) };
}

function bytesOf(script: string): Uint8Array {
  if (typeof script !== "string") throw invalid("the script is not text: use run() for bytes");
  return Buffer.from(script);
}

function invalid(message: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", message);
}
