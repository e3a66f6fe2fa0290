import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { expectGone, untilText, withProcess } from "./support.ts";

// A grandchild that ignores what asks it politely, and tells its id. Its parent waits for it.
const stubbornTree = `
  sh -c 'trap "" TERM INT HUP; echo "grandchild $$"; while :; do sleep 3600 & wait $!; done' &
  wait`;

export function treeTests(suite: Suite): void {
  describe("a process tree", () => {
    test("ends with kill(), stubborn grandchildren included", () =>
      withProcess(suite, suite.script(stubbornTree), async (process) => {
        await process.start();
        const seen = await untilText(process.stdout, "\n");
        await process.kill();
        expect((await process.wait()).signal).toBe("SIGKILL");
        await expectGone(suite, grandchildOf(seen));
      }));

    test("ends with close(), stubborn grandchildren by force", () =>
      withProcess(
        suite,
        suite.script(stubbornTree),
        async (process) => {
          await process.start();
          const seen = await untilText(process.stdout, "\n");
          await process.close();
          await expectGone(suite, grandchildOf(seen));
        },
        { forceKillAfterMs: 100 },
      ));

    test("ends with its timeout, stubborn grandchildren by force", async () => {
      let seen: string | undefined;
      // Twice the time again, until it is enough for the grandchild to be there, however slow the machine is.
      for (let timeoutMs = 1000; seen === undefined; timeoutMs *= 2) {
        seen = await withProcess(
          suite,
          suite.script(stubbornTree),
          async (process) => {
            const reading = untilText(process.stdout, "\n").catch(() => undefined);
            await process.start();
            expect((await process.wait()).timedOut).toBe(true);
            return reading;
          },
          { timeoutMs, forceKillAfterMs: 100 },
        );
      }
      await expectGone(suite, grandchildOf(seen));
    });

    test("ends with an abort, stubborn grandchildren by force", async () => {
      const controller = new AbortController();
      await withProcess(
        suite,
        suite.script(stubbornTree),
        async (process) => {
          await process.start();
          const seen = await untilText(process.stdout, "\n");
          controller.abort();
          expect((await process.wait()).aborted).toBe(true);
          await expectGone(suite, grandchildOf(seen));
        },
        { signal: controller.signal, forceKillAfterMs: 100 },
      );
    });

    test("outlives its first process, or ends with it, as the capabilities say", () =>
      withProcess(
        suite,
        suite.script("exec 3<&0; (read -r _ <&3; echo from the child) & echo grandchild $!; exit 0"),
        async (process) => {
          const isLeftAlone = suite.environment.capabilities.orphans === "live";
          const reading = text(process.stdout);
          await process.start();
          if (isLeftAlone) process.stdin.end("go on\n");
          const seen = await reading;
          if (suite.keepsOrphanOutput) expect(seen.includes("from the child")).toBe(isLeftAlone);
          expect((await process.wait()).exitCode).toBe(0);
          await expectGone(suite, grandchildOf(seen));
        },
      ));
  });
}

function grandchildOf(output: string): string {
  return /grandchild (\d+)/.exec(output)?.[1] ?? "";
}
