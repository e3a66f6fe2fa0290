import type { Environment } from "@anyproc/core";

/** What a suite's setup hands over. */
export interface Subject {
  readonly environment: Environment;
  /** Runs after the last test, when the environment has been closed. */
  readonly cleanup?: () => void | Promise<void>;
  /** A POSIX shell inside the environment. @default "sh" */
  readonly sh?: string;
  /** False where each process has a table of process ids to itself, so that none can be looked for. @default true */
  readonly sharesProcessIds?: boolean;
  /** False where what a left-alone child writes after its parent's end may get lost. @default true */
  readonly keepsOrphanOutput?: boolean;
}

/** Options of compliance(). */
export interface ComplianceOptions {
  /** Makes a fresh environment; called once for the suite, and once more by tests that close theirs. */
  readonly setup: () => Subject | Promise<Subject>;
  /** How many runs the test for leaks makes; lower it for environments that take long to start a program. @default 1000 */
  readonly repetitions?: number;
  /** How many programs run at once. @default 100 */
  readonly parallelism?: number;
  /** How long one test may take, in milliseconds. @default 300000 */
  readonly timeoutMs?: number;
  /** Tests of the environment's own, in the same suite. */
  readonly additionalTests?: (suite: Suite) => void;
}

/** What the tests of one suite share. */
export interface Suite {
  readonly setup: () => Subject | Promise<Subject>;
  readonly repetitions: number;
  readonly parallelism: number;
  /** The environment under test; only inside tests and hooks. */
  readonly environment: Environment;
  /** Whether one process can look for another one by its id. */
  readonly sharesProcessIds: boolean;
  /** Whether all comes that a child writes which its parent has left behind. */
  readonly keepsOrphanOutput: boolean;
  /** argv that runs a script in the environment's POSIX shell; `$1` is the first of `args`. */
  script(text: string, ...args: readonly (string | Uint8Array)[]): [string, ...(string | Uint8Array)[]];
}
