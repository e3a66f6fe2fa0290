/**
 * The functions of `@anyproc/emrun` that start every payload from a temporary file, on every platform. Everything
 * else, policies above all, comes from there and holds for both.
 */

import type { Background } from "./background.ts";
import * as emrun from "./index.ts";
import type { OpenOptions } from "./open.ts";
import type { RunIOEOptions, RunIOOptions } from "./run.ts";
import type { RunResult } from "./run-error.ts";
import type { Runnable } from "./runnable.ts";
import type { Payload, RunOptions } from "./session.ts";

export * from "./index.ts";

type Arguments = readonly string[];

/** As emrun's open(), with a temporary file `<sha256>-*`, removed by close() and when this process exits. */
export async function open(payload: Uint8Array, options?: OpenOptions): Promise<Runnable> {
  return emrun.open(payload, { ...options, tempFile: true });
}

/** As emrun's run(), from a temporary file. */
export async function run(payload: Payload, args?: Arguments, options?: RunOptions): Promise<RunResult> {
  return emrun.run(payload, args, { ...options, tempFile: true });
}

/** As emrun's runIO(), from a temporary file. */
export async function runIO(payload: Payload, args?: Arguments, options?: RunIOOptions): Promise<RunResult> {
  return emrun.runIO(payload, args, { ...options, tempFile: true });
}

/** As emrun's runIOE(), from a temporary file. */
export async function runIOE(payload: Payload, args?: Arguments, options?: RunIOEOptions): Promise<RunResult> {
  return emrun.runIOE(payload, args, { ...options, tempFile: true });
}

/** As emrun's do(), from a temporary file. */
async function doScript(script: string, args?: Arguments, options?: RunOptions): Promise<RunResult> {
  return emrun.do(script, args, { ...options, tempFile: true });
}

/** As emrun's runBG(), from a temporary file. */
export async function runBG(payload: Payload, args?: Arguments, options?: RunOptions): Promise<Background> {
  return emrun.runBG(payload, args, { ...options, tempFile: true });
}

/** As emrun's runIOBG(), from a temporary file. */
export async function runIOBG(payload: Payload, args?: Arguments, options?: RunIOOptions): Promise<Background> {
  return emrun.runIOBG(payload, args, { ...options, tempFile: true });
}

/** As emrun's runIOEBG(), from a temporary file. */
export async function runIOEBG(payload: Payload, args?: Arguments, options?: RunIOEOptions): Promise<Background> {
  return emrun.runIOEBG(payload, args, { ...options, tempFile: true });
}

/** As emrun's doBG(), from a temporary file. */
export async function doBG(script: string, args?: Arguments, options?: RunOptions): Promise<Background> {
  return emrun.doBG(script, args, { ...options, tempFile: true });
}

export { doScript as do };
