import { type Environment, type Exit, displayCommand, toCommand, type Command, type SpawnOptions } from "@anyproc/core";
import type { RunOptions } from "../commands/run.ts";
import { createEnvironment } from "../environments/create.ts";
import { exitCodes } from "../exit-codes.ts";
import { writeErrorLine } from "../output.ts";
import { commandOf, spawnOptionsOf } from "./command.ts";

/** Runs a command and resolves with the exit status of `anyproc run`. */
export async function run(argv: readonly string[], options: RunOptions): Promise<number> {
  const command = toCommand(await commandOf(argv, options));
  const environment = await createEnvironment(options);
  try {
    if (options.verbose) writeErrorLine(`anyproc: ${environment.name}: running ${displayCommand(command)}`);
    const exit = await runIn(environment, command, spawnOptionsOf(options), options);
    if (options.verbose) writeErrorLine(`anyproc: ${environment.name}: ${describe(exit)}`);
    return exitStatus(exit);
  } finally {
    await environment.close();
  }
}

/** What the shell sees: the program's own status, unless its time was over. */
export function exitStatus(exit: Pick<Exit, "exitCode" | "timedOut">): number {
  return exit.timedOut ? exitCodes.timeout : exit.exitCode;
}

type Ending = Pick<Exit, "exitCode" | "signal" | "timedOut">;

async function runIn(
  environment: Environment,
  command: Command,
  spawnOptions: SpawnOptions,
  options: RunOptions,
): Promise<Ending> {
  if (options.json) return (await import("./captured.ts")).runCaptured(environment, command, spawnOptions);
  if (options.tty) return (await import("./on-terminal.ts")).runOnTerminal(environment, command, spawnOptions);
  return (await import("./inherited.ts")).runInherited(environment, command, spawnOptions);
}

function describe({ timedOut, signal, exitCode }: Ending): string {
  if (timedOut) return "ended because its time was over";
  return signal ? `ended by ${signal}` : `exited with ${exitCode}`;
}
