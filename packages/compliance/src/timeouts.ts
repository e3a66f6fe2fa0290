import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { ending, expectCode, run, untilText, withProcess } from "./support.ts";

const forever = "echo ready; while :; do sleep 3600 & wait $!; done";
const stubborn = `trap '' TERM; ${forever}`;

export function timeoutTests(suite: Suite): void {
  describe("timeouts and aborts", () => {
    test("end the program, and say why", async () => {
      const result = await run(suite, suite.script(forever), { timeoutMs: 500 });
      expect(result).toMatchObject({ timedOut: true, aborted: false, signal: "SIGTERM", exitCode: 143, failed: true });
    });

    test("force a program that ignores SIGTERM", async () => {
      const result = await run(suite, suite.script(stubborn), { timeoutMs: 500, forceKillAfterMs: 100 });
      expect(result).toMatchObject({ timedOut: true, signal: "SIGKILL", exitCode: 137 });
    });

    test("do not touch a program that ends in time", async () => {
      const result = await run(suite, suite.script("exit 3"), { timeoutMs: 50_000 });
      expect(result).toMatchObject({ timedOut: false, aborted: false, exitCode: 3 });
    });

    test("keep the output that was written before", async () => {
      const result = await run(suite, suite.script(forever), { timeoutMs: 1000 });
      expect(result.stdout).toBe("ready\n");
    });

    test("ask with the signal that was chosen, and let the program finish", async () => {
      const script = "trap 'echo stopping; exit 0' INT; echo ready; while :; do sleep 3600 & wait $!; done";
      const result = await run(suite, suite.script(script), { timeoutMs: 1000, killSignal: "SIGINT" });
      expect(result).toMatchObject({ timedOut: true, exitCode: 0, failed: true, stdout: "ready\nstopping\n" });
    });

    test("that are aborted before the start keep it from starting", async () => {
      const reason = new Error("changed my mind");
      const process = suite.environment.create(suite.script("echo ran"), { signal: AbortSignal.abort(reason) });
      await expect(process.start()).rejects.toBe(reason);
      await process.close();
    });

    test("that are aborted in the middle end the program", async () => {
      const controller = new AbortController();
      await withProcess(
        suite,
        suite.script(forever),
        async (process) => {
          await process.start();
          await untilText(process.stdout, "ready\n");
          controller.abort();
          const exit = await process.wait();
          expect(ending(exit)).toEqual({ code: null, signal: "SIGTERM", exitCode: 143 });
          expect(exit).toMatchObject({ aborted: true, timedOut: false });
        },
        { signal: controller.signal },
      );
    });

    test("that are aborted after the end change nothing", async () => {
      const controller = new AbortController();
      await withProcess(
        suite,
        suite.script("exit 4"),
        async (process) => {
          await process.start();
          await process.wait();
          controller.abort();
          expect(await process.wait()).toMatchObject({ exitCode: 4, aborted: false });
        },
        { signal: controller.signal },
      );
    });

    test("with impossible values are refused", async () => {
      for (const options of [
        { timeoutMs: -1 },
        { timeoutMs: Number.NaN },
        { timeoutMs: 2 ** 31 },
        { forceKillAfterMs: -1 },
        { killSignal: "SIGNOTHING" as "SIGTERM" },
      ]) {
        await expectCode(() => suite.environment.create(["cat"], options), "ANYPROC_INVALID_OPTION");
      }
    });
  });
}
