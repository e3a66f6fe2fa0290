import { type Command, displayCommand, type Environment, type Exit, toCommand } from "@anyproc/core";
import type { RunOptions } from "../commands/run.ts";
import { chooseEnvironment } from "../environments/choose.ts";
import { createEnvironment } from "../environments/create.ts";
import { completeCommand } from "../environments/image-command.ts";
import { exitStatus } from "../exit-codes.ts";
import { writeErrorLine } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { commandOf, spawnOptionsOf } from "./command.ts";
import type { Refusals } from "./refusals.ts";

/** Runs a command and resolves with the exit status of `anyproc run`. */
export async function run(argv: readonly string[], options: RunOptions): Promise<number> {
  if (options.image !== undefined && chooseEnvironment(options) === "proot") {
    const { unpackForRun } = await import("../images/run-image.ts");
    const image = await unpackForRun(options.image, argv, options);
    try {
      return await runCommandLine(image.argv, image.options);
    } finally {
      await image.remove();
    }
  }
  if (argv.length === 0 && options.image === undefined) {
    throw new UsageError("run: missing required argument 'command': see `anyproc run --help`");
  }
  return runCommandLine(argv, options);
}

async function runCommandLine(argv: readonly string[], options: RunOptions): Promise<number> {
  if (options.json && options.tty) {
    throw new UsageError("--json keeps the output for a document, --tty shows it on a terminal: leave one of them out");
  }
  // What can be refused without asking anybody is refused first.
  if (argv.length > 0) toCommand(await commandOf(argv, options));
  const refusals = options.verbose ? (await import("./refusals.ts")).watchRefusals() : undefined;
  const environment = await createEnvironment(options, refusals);
  try {
    const command = toCommand(await commandOf(completeCommand(environment, argv), options));
    if (options.verbose) writeErrorLine(`anyproc: ${environment.name}: running ${displayCommand(command)}`);
    const exit = await runIn(environment, command, options, refusals);
    if (options.verbose) writeErrorLine(`anyproc: ${environment.name}: ${describe(exit)}`);
    return exitStatus(exit);
  } finally {
    await environment.close();
  }
}

type Ending = Pick<Exit, "exitCode" | "signal" | "timedOut">;

async function runIn(
  environment: Environment,
  command: Command,
  options: RunOptions,
  refusals: Refusals | undefined,
): Promise<Ending> {
  const spawnOptions = spawnOptionsOf(options);
  if (options.json) return (await import("./captured.ts")).runCaptured(environment, command, spawnOptions, refusals);
  if (options.tty) return (await import("./on-terminal.ts")).runOnTerminal(environment, command, spawnOptions);
  if (!environment.capabilities.inherit) {
    return (await import("./attached.ts")).runAttached(environment, command, spawnOptions);
  }
  return (await import("./inherited.ts")).runInherited(environment, command, spawnOptions);
}

function describe({ timedOut, signal, exitCode }: Ending): string {
  if (timedOut) return "ended because its time was over";
  return signal ? `ended by ${signal}` : `exited with ${exitCode}`;
}
