import { afterAll, beforeAll, describe, vi } from "vitest";
import { argvTests } from "./argv.ts";
import { cwdTests } from "./cwd.ts";
import { envTests } from "./env.ts";
import { execTests } from "./exec.ts";
import { exitTests } from "./exit.ts";
import { fileTests } from "./files.ts";
import { lifecycleTests } from "./lifecycle.ts";
import { linesTests } from "./lines.ts";
import { loadTests } from "./load.ts";
import { ptyTests } from "./pty.ts";
import { signalTests } from "./signals.ts";
import { sinkTests } from "./sinks.ts";
import { stdinTests } from "./stdin.ts";
import type { ComplianceOptions, Subject, Suite } from "./subject.ts";
import { timeoutTests } from "./timeouts.ts";
import { treeTests } from "./trees.ts";

const concerns: readonly ((suite: Suite) => void)[] = [
  argvTests,
  envTests,
  cwdTests,
  stdinTests,
  sinkTests,
  linesTests,
  exitTests,
  signalTests,
  treeTests,
  timeoutTests,
  lifecycleTests,
  execTests,
  ptyTests,
  fileTests,
  loadTests,
];

/**
 * Declares the tests that every environment passes. What `environment.capabilities` says is missing is skipped where
 * there is nothing to observe, and otherwise tested for the right refusal.
 *
 * @example
 * compliance("host", { setup: () => ({ environment: createHost() }) });
 */
export function compliance(name: string, options: ComplianceOptions): void {
  const { setup, repetitions = 1000, parallelism = 100, timeoutMs = 300_000, additionalTests } = options;

  describe(name, () => {
    vi.setConfig({ testTimeout: timeoutMs, hookTimeout: timeoutMs });
    let subject: Subject | undefined;

    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(async () => {
      await subject?.environment.close();
      await subject?.cleanup?.();
    });

    const suite: Suite = {
      setup,
      repetitions,
      parallelism,
      get environment() {
        if (!subject) throw new Error("the environment is there only inside tests: read suite.environment in one");
        return subject.environment;
      },
      get sharesProcessIds() {
        return subject?.sharesProcessIds ?? true;
      },
      get keepsOrphanOutput() {
        return subject?.keepsOrphanOutput ?? true;
      },
      script(text, ...args) {
        return [subject?.sh ?? "sh", "-c", text, "sh", ...args];
      },
    };
    for (const declare of concerns) declare(suite);
    if (additionalTests) describe("additional", () => additionalTests(suite));
  });
}
