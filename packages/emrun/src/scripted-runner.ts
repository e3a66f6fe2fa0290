import { Readable } from "node:stream";
import { AnyprocError, type RunningProgram, type SignalName } from "@anyproc/core";
import { openedPayload } from "./runnable.ts";
import { defineRunner, type RunCommand, type Runner } from "./runner.ts";

/** What a payload is said to have done. */
export interface ScriptedRun {
  /** @default 0 */
  readonly exitCode?: number;
  /** The signal that ended it, instead of an exit code. */
  readonly signal?: SignalName;
  readonly stdout?: string | Uint8Array;
  readonly stderr?: string | Uint8Array;
  /** The start fails with it. */
  readonly error?: Error;
}

/** One call of a scripted runner. */
export interface ScriptedCall {
  /** The payload's `name`. */
  readonly path: string;
  readonly digest: string;
  readonly command: RunCommand;
}

/** A runner that follows a script instead of running anything. */
export interface ScriptedRunner extends Runner {
  readonly calls: readonly ScriptedCall[];
  /** How many runs of the script are left. */
  readonly remaining: number;
}

/**
 * A runner for tests of code that runs payloads: the first run does what the script's first entry says, and so on.
 *
 * @example
 * const runner = scriptedRunner([{ stdout: "1.2.3\n" }, { exitCode: 1, stderr: "no such option\n" }]);
 * const { combinedOutput } = await run(payload, ["--version"], { runner });
 * @throws ANYPROC_EMRUN_SCRIPT_OVER, at a run that the script does not have
 */
export function scriptedRunner(script: readonly ScriptedRun[]): ScriptedRunner {
  const calls: ScriptedCall[] = [];
  const runner = defineRunner("scripted", (runnable, command) => {
    const { name, digest } = openedPayload(runnable);
    const run = script[calls.length];
    if (run === undefined) {
      throw new AnyprocError(
        "ANYPROC_EMRUN_SCRIPT_OVER",
        `the script's ${script.length} runs are over, and payload ${digest.slice(0, 12)} is to run: add an entry for it`,
      );
    }
    calls.push({ path: name, digest, command });
    if (run.error) throw run.error;
    return programOf(run);
  });
  return {
    ...runner,
    calls,
    get remaining(): number {
      return script.length - calls.length;
    },
  };
}

function programOf({ exitCode = 0, signal, stdout = "", stderr = "" }: ScriptedRun): RunningProgram {
  return {
    stdin: null,
    stdout: Readable.from([Buffer.from(stdout)]),
    stderr: Readable.from([Buffer.from(stderr)]),
    exited: Promise.resolve(signal === undefined ? { code: exitCode, signal: null } : { code: null, signal }),
    signal() {},
    end: () => Promise.resolve(),
  };
}
