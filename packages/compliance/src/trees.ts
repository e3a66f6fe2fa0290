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

    test("ends with its timeout, stubborn grandchildren by force", () =>
      withProcess(
        suite,
        suite.script(stubbornTree),
        async (process) => {
          const reading = untilText(process.stdout, "\n");
          await process.start();
          const seen = await reading;
          expect((await process.wait()).timedOut).toBe(true);
          await expectGone(suite, grandchildOf(seen));
        },
        { timeoutMs: 2000, forceKillAfterMs: 100 },
      ));

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

    test("may outlive its first process, and is then left alone", () =>
      withProcess(suite, suite.script("(read -r _; echo from the child) <&0 & exit 0"), async (process) => {
        const lines = process.lines()[Symbol.asyncIterator]();
        await process.start();
        process.stdin.end("go on\n");
        expect(await lines.next()).toEqual({ done: false, value: "from the child" });
        expect((await process.wait()).exitCode).toBe(0);
      }));
  });
}

function grandchildOf(output: string): string {
  return /grandchild (\d+)/.exec(output)?.[1] ?? "";
}
