import {
  AnyprocError,
  type Command,
  type Environment,
  type Exit,
  exec,
  isAnyprocError,
  type SpawnOptions,
} from "@anyproc/core";
import { exitStatus } from "../exit-codes.ts";
import { writeJson } from "../output.ts";
import { forwardSignals } from "./forward-signals.ts";
import type { Refusals } from "./refusals.ts";
import { terminalSignals } from "./terminal-signals.ts";

/** Runs a command to its end, and prints what it said and how it ended as a JSON document. */
export async function runCaptured(
  environment: Environment,
  command: Command,
  options: SpawnOptions,
  refusals?: Refusals,
): Promise<Pick<Exit, "exitCode" | "signal" | "timedOut">> {
  const { inherit } = environment.capabilities;
  const input = inherit ? {} : { input: process.stdin };
  const stdin = inherit ? { stdin: "inherit" as const } : {};
  let stopForwarding = (): void => {};
  const signalled: Environment = {
    ...environment,
    create(...args) {
      const running = environment.create(...args);
      stopForwarding = forwardSignals(running, inherit ? { except: terminalSignals() } : {});
      return running;
    },
  };
  const result = await exec(signalled, { ...command, ...stdin }, { ...options, ...input, reject: false })
    .catch(explain)
    .finally(() => {
      stopForwarding();
      if (!inherit) process.stdin.destroy();
    });
  writeJson({
    command: command.argv,
    environment: environment.name,
    exitCode: exitStatus(result),
    signal: result.signal,
    stdout: result.stdout,
    stderr: result.stderr,
    durationMs: Math.round(result.durationMs),
    timedOut: result.timedOut,
    ...(refusals && { refusedCalls: refusals.calls }),
  });
  return result;
}

function explain(error: unknown): never {
  if (!isAnyprocError(error, "ANYPROC_OUTPUT_LIMIT")) throw error;
  const what = error.message.split(": raise")[0];
  throw new AnyprocError(error.code, `${what}, too much for one JSON document: run it without --json`, {
    cause: error,
  });
}
