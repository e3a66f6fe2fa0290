import type { RunCommand, Runnable } from "@anyproc/emrun";
import type { EmrunOptions } from "../commands/emrun.ts";
import { loadPackage } from "../environments/load-package.ts";
import { exitStatus } from "../exit-codes.ts";
import { reportFailure, writeErrorLine } from "../output.ts";
import { toPayloadError } from "./payload-error.ts";
import { policyOf } from "./policy.ts";
import { readPayload } from "./read-payload.ts";
import { runCaptured, runInherited } from "./run-payload.ts";

/** Runs a file from memory and resolves with the exit status of `anyproc emrun`. */
export async function emrun(file: string, args: readonly string[], options: EmrunOptions): Promise<number> {
  const library = await loadPackage("@anyproc/emrun", () => import("@anyproc/emrun"));
  const policy = await policyOf(library, options);
  try {
    const payload = await library.open(await readPayload(file), { tempFile: options.tempFile ?? false });
    try {
      if (options.verbose) writeErrorLine(`anyproc: ${file}: SHA-256 ${payload.digest}, ${placeOf(payload)}`);
      library.checkPolicy(policy, payload.digest);
      const run = options.json ? runCaptured : runInherited;
      return exitStatus(await run(library, payload, commandOf(file, args)));
    } finally {
      await payload.close();
    }
  } catch (error) {
    const failure = toPayloadError(library, file, error);
    if (failure === undefined) throw error;
    reportFailure(failure, options);
    return failure.exitCode;
  }
}

function commandOf(file: string, args: readonly string[]): RunCommand {
  // What stands after FILE is the payload's; the "--" that says so is not.
  const own = args[0] === "--" ? args.slice(1) : args;
  // A payload that came by stdin has no name, and nothing left to read.
  return { args: own, ...(file !== "-" && { argv0: file, stdin: "inherit" }) };
}

function placeOf(payload: Runnable): string {
  if (payload.isMemfd) return "in memory";
  const reason = payload.fallbackReason?.message;
  return reason === undefined ? `in ${payload.name}` : `in ${payload.name}, since ${reason}`;
}
