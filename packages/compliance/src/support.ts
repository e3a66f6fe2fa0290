import { type Readable, Writable } from "node:stream";
import type { CommandInput, ExecOptions, ExecResult, Exit, Process, SpawnOptions } from "@anyproc/core";
import { exec, isAnyprocError } from "@anyproc/core";
import { expect } from "vitest";
import type { Suite } from "./subject.ts";

/** Runs a shell script to its end, whatever its exit code. */
export async function sh(suite: Suite, text: string, ...args: (string | Uint8Array)[]): Promise<ExecResult> {
  return exec(suite.environment, suite.script(text, ...args), { reject: false });
}

/** Runs any command to its end, whatever its exit code. */
export async function run(suite: Suite, command: CommandInput, options: ExecOptions = {}): Promise<ExecResult> {
  return exec(suite.environment, command, { reject: false, ...options });
}

/** A tree that ends by itself when it is asked to is given all the time that a busy machine makes it take. */
export const patient: SpawnOptions = { forceKillAfterMs: 120_000 };

/**
 * The end of a shell script that only waits for the signals it has set traps for. A shell looks for them after each
 * command: one that comes just before a blocking read(2) would be seen only after that, so no command lasts.
 */
export const untilSignalled = "while :; do sleep 0.1; done";

/** Starts a process, hands it over, and closes it whatever happens. */
export async function withProcess<T>(
  suite: Suite,
  command: CommandInput,
  use: (process: Process) => Promise<T>,
  options: SpawnOptions = {},
): Promise<T> {
  const process = suite.environment.create(command, options);
  try {
    return await use(process);
  } finally {
    await process.close();
  }
}

/** Every byte of a stream. */
export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads a stream until the text has come by; the stream flows on after that. */
export async function untilText(stream: Readable, text: string): Promise<string> {
  let seen = "";
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString("latin1");
      if (!seen.includes(text)) return;
      stream.off("data", onData).off("close", onClose).off("end", onClose);
      stream.resume();
      resolve(seen);
    };
    const onClose = (): void =>
      reject(new Error(`the stream ended before ${JSON.stringify(text)}: ${JSON.stringify(seen)}`));
    stream.on("data", onData).on("close", onClose).on("end", onClose);
  });
}

/** Expects a rejection or a throw with one of our codes, and a message that says something. */
export async function expectCode(action: () => unknown, code: string): Promise<void> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  expect(isAnyprocError(thrown), `expected ${code}, got ${String(thrown)}`).toBe(true);
  expect(thrown).toMatchObject({ code, message: expect.stringMatching(/\S+ \S+ \S+/) });
}

/** A sink that keeps what it is given and takes every chunk as soon as it comes. */
export class Collector extends Writable {
  readonly chunks: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.chunks.push(chunk);
    callback();
  }
}

/** A sink that takes nothing until it is opened. */
export class GatedCollector extends Collector {
  #waiting: (() => void)[] = [];
  #isOpen = false;

  open(): void {
    this.#isOpen = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
    if (this.#isOpen) super._write(chunk, encoding, callback);
    else this.#waiting.push(() => super._write(chunk, encoding, callback));
  }
}

/** Writes, and waits for room as a well-behaved writer does. */
export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (stream.write(data)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

/** An exit without its bookkeeping. */
export function ending({ code, signal, exitCode }: Exit): Pick<Exit, "code" | "signal" | "exitCode"> {
  return { code, signal, exitCode };
}

/** Expects that a process of the environment, by its id in there, is gone or has only not been reaped yet. */
export async function expectGone(suite: Suite, pid: string): Promise<void> {
  expect(pid).toMatch(/^\d+$/);
  if (!suite.sharesProcessIds) return;
  const script = 'while kill -0 "$1" 2>/dev/null && ! grep -q "^State:.Z" "/proc/$1/status" 2>/dev/null; do :; done';
  const result = await exec(suite.environment, suite.script(script, pid), { reject: false, timeoutMs: 120_000 });
  expect(result.timedOut, `process ${pid} is still alive`).toBe(false);
}
