import { type Command, type Environment, type Exit, exec, type SpawnOptions } from "@anyproc/core";
import { writeJson } from "../output.ts";
import { exitStatus } from "./run.ts";

/** Runs a command to its end, and prints what it said and how it ended as a JSON document. */
export async function runCaptured(
  environment: Environment,
  command: Command,
  options: SpawnOptions,
): Promise<Pick<Exit, "exitCode" | "signal" | "timedOut">> {
  const result = await exec(environment, { ...command, stdin: "inherit" }, { ...options, reject: false });
  writeJson({
    command: command.argv,
    environment: environment.name,
    exitCode: exitStatus(result),
    signal: result.signal,
    stdout: result.stdout,
    stderr: result.stderr,
    durationMs: Math.round(result.durationMs),
    timedOut: result.timedOut,
  });
  return result;
}
