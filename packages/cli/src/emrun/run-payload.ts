import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { Exit, SignalName } from "@anyproc/core";
import type { RunCommand, Runnable } from "@anyproc/emrun";
import { writeJson } from "../output.ts";
import { forwardSignals } from "../run/forward-signals.ts";
import { terminalSignals } from "../run/terminal-signals.ts";

type Emrun = typeof import("@anyproc/emrun");

/** Runs a payload on this process's own stdin, stdout and stderr. */
export async function runInherited(library: Emrun, payload: Runnable, command: RunCommand): Promise<Exit> {
  return runForwarding(library, payload, { ...command, stdout: "inherit", stderr: "inherit" });
}

/** Runs a payload to its end, and prints what it said and how it ended as a JSON document. */
export async function runCaptured(library: Emrun, payload: Runnable, command: RunCommand): Promise<Exit> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(stdout), text(stderr)]);
  const startedAt = performance.now();
  const exit = await runForwarding(library, payload, { ...command, stdout, stderr });
  stdout.end();
  stderr.end();
  const [output, errors] = await said;
  writeJson({
    digest: payload.digest,
    isMemfd: payload.isMemfd,
    exitCode: exit.exitCode,
    signal: exit.signal,
    stdout: output,
    stderr: errors,
    durationMs: Math.round(performance.now() - startedAt),
  });
  return exit;
}

async function runForwarding(library: Emrun, payload: Runnable, command: RunCommand): Promise<Exit> {
  const sentByTerminal = terminalSignals();
  const starting = library.defaultRunner.start(payload, command);
  const signal = async (name: SignalName): Promise<void> => (await starting).signal(name);
  const stopForwarding = forwardSignals({ signal }, { except: sentByTerminal });
  try {
    return await (await starting).wait();
  } finally {
    stopForwarding();
  }
}
