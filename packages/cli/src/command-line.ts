import { type Command, CommanderError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { type OutputOptions, reportFailure } from "./output.ts";
import { createProgram, untilUnknownSubcommand } from "./program.ts";

/** Carries out a command line. Resolves with the exit status; never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = await createProgram((code) => {
    exitCode = code;
  }, args);
  try {
    await program.parseAsync(untilUnknownSubcommand(args), { from: "user" });
    return exitCode;
  } catch (error) {
    // --help and --version end the parsing by an exception, after having written what was asked for.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommanderError)) reportFailure(error, outputOptions(program));
    return exitCodes.internal;
  }
}

/** The global options as far as they have been read. */
function outputOptions(program: Command): OutputOptions {
  return Object.assign({}, ...[program, ...program.commands].map((command) => command.opts()));
}
