import { Writable } from "node:stream";
import { AnyprocError, type Exit, type SignalName, type SpawnOptions } from "@anyproc/core";
import type { RunCommand, Runnable } from "@anyproc/emrun";
import { writeJson } from "../output.ts";
import { forwardSignals } from "../run/forward-signals.ts";
import { terminalSignals } from "../run/terminal-signals.ts";

type Emrun = typeof import("@anyproc/emrun");

// As much as core's exec() keeps, which `anyproc run --json` uses.
const maxOutputBytes = 100 * 1024 * 1024;

/** Runs a payload on this process's own stdin, stdout and stderr. */
export async function runInherited(library: Emrun, payload: Runnable, command: RunCommand): Promise<Exit> {
  return runForwarding(library, payload, { ...command, stdout: "inherit", stderr: "inherit" });
}

/**
 * Runs a payload to its end, and prints what it said and how it ended as a JSON document.
 *
 * @throws ANYPROC_OUTPUT_LIMIT
 */
export async function runCaptured(library: Emrun, payload: Runnable, command: RunCommand): Promise<Exit> {
  const tooMuch = new AbortController();
  const budget = { left: maxOutputBytes, exceeded: () => tooMuch.abort() };
  const [stdout, stderr] = [collector(budget), collector(budget)];
  const startedAt = performance.now();
  const streams = { stdout: stdout.stream, stderr: stderr.stream };
  const exit = await runForwarding(library, payload, { ...command, ...streams }, { signal: tooMuch.signal });
  if (tooMuch.signal.aborted) {
    const what = `more than ${maxOutputBytes} bytes of output`;
    throw new AnyprocError("ANYPROC_OUTPUT_LIMIT", `${what}, too much for one JSON document: run it without --json`);
  }
  writeJson({
    digest: payload.digest,
    isMemfd: payload.isMemfd,
    exitCode: exit.exitCode,
    signal: exit.signal,
    stdout: stdout.text(),
    stderr: stderr.text(),
    durationMs: Math.round(performance.now() - startedAt),
  });
  return exit;
}

function collector(budget: { left: number; readonly exceeded: () => void }): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback): void {
      budget.left -= chunk.length;
      if (budget.left >= 0) chunks.push(chunk);
      else budget.exceeded();
      callback();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

async function runForwarding(
  library: Emrun,
  payload: Runnable,
  command: RunCommand,
  options?: SpawnOptions,
): Promise<Exit> {
  const sentByTerminal = terminalSignals();
  const starting = library.defaultRunner.start(payload, command, options);
  const signal = async (name: SignalName): Promise<void> => (await starting).signal(name);
  const stopForwarding = forwardSignals({ signal }, { except: sentByTerminal });
  try {
    return await (await starting).wait();
  } finally {
    stopForwarding();
  }
}
