#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./output.ts";

// An exception that nobody awaits is anyproc's own failure too: 125, never Node's 1, which could be the program's.
process.on("uncaughtException", (error) => {
  reportFailure(error, { json: false, verbose: true });
  process.exit(exitCodes.internal);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
