import { AnyprocError, type SpawnOptions } from "@anyproc/core";
import { currentPolicy } from "./ambient-policy.ts";
import { type OpenOptions, openPayload } from "./open.ts";
import { checkPolicy, type Policy } from "./policy.ts";
import { type OpenedPayload, openedPayload, type Runnable } from "./runnable.ts";
import type { RunCommand, Runner } from "./runner.ts";
import { defaultRunner } from "./spawn-runner.ts";

/** What is run: the bytes of an executable or of a script, or what open() has made of them. */
export type Payload = Uint8Array | Runnable;

/** How a payload is run, whatever becomes of its output. */
export interface RunOptions
  extends SpawnOptions,
    OpenOptions,
    Pick<RunCommand, "argv0" | "cwd" | "env" | "extendEnv" | "descriptors" | "stdin"> {
  /** Which payloads may run. @default currentPolicy() */
  readonly policy?: Policy;
  /** What starts the payload. @default this machine */
  readonly runner?: Runner;
  /** Return a failed run instead of throwing its error. @default true */
  readonly reject?: boolean;
}

/** One run of a payload that the policy allows. */
export interface Session {
  readonly payload: OpenedPayload;
  readonly runner: Runner;
  /** Lets go of the payload, and of a file that was made for this run alone. Never rejects. */
  release(): Promise<Error | undefined>;
}

/**
 * Takes hold of a payload for one run.
 *
 * @throws PolicyError (ANYPROC_EMRUN_DENIED); what open() throws; ANYPROC_CLOSED for a Runnable that is closed
 */
export async function openSession(source: Payload, options: RunOptions): Promise<Session> {
  const { policy = currentPolicy(), runner = defaultRunner } = options;
  if (typeof runner?.start !== "function") {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", "runner cannot start payloads: leave it unset for this machine");
  }
  const isOurs = source instanceof Uint8Array;
  const payload = isOurs ? await openPayload(source, options) : openedPayload(source);
  const letGo = payload.acquire();
  if (isOurs) await payload.close();
  async function release(): Promise<Error | undefined> {
    try {
      await letGo();
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
  try {
    checkPolicy(policy, payload.digest);
    return { payload, runner, release };
  } catch (error) {
    await release();
    throw error;
  }
}
