import type { Exit, SpawnOptions } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { Collector, ending, expectCode, patient, run, untilSignalled, untilText, withProcess } from "./support.ts";

const forever = "echo ready; while :; do sleep 3600 & wait $!; done";
const stubborn = `trap '' TERM; ${forever}`;

export function timeoutTests(suite: Suite): void {
  /** Runs a script that says that it is ready, and aborts it then. */
  async function abortedWhenReady(script: string, options: SpawnOptions = {}): Promise<{ exit: Exit; output: string }> {
    const controller = new AbortController();
    const output = new Collector();
    const exit = await withProcess(
      suite,
      suite.script(script),
      async (process) => {
        process.attachStdout(output);
        const reading = untilText(process.stdout, "ready\n");
        await process.start();
        await reading;
        controller.abort();
        return process.wait();
      },
      { ...options, signal: controller.signal },
    );
    return { exit, output: output.text };
  }

  describe("timeouts and aborts", () => {
    test("end the program, and say why", async () => {
      const result = await run(suite, suite.script(forever), { timeoutMs: 500, ...patient });
      expect(result).toMatchObject({ timedOut: true, aborted: false, signal: "SIGTERM", exitCode: 143, failed: true });
    });

    test("force a program that ignores SIGTERM", async () => {
      const { exit } = await abortedWhenReady(stubborn, { forceKillAfterMs: 100 });
      expect(ending(exit)).toEqual({ code: null, signal: "SIGKILL", exitCode: 137 });
    });

    test("do not touch a program that ends in time", async () => {
      const result = await run(suite, suite.script("exit 3"), { timeoutMs: 50_000 });
      expect(result).toMatchObject({ timedOut: false, aborted: false, exitCode: 3 });
    });

    test("keep the output that was written before", async () => {
      expect((await abortedWhenReady(forever)).output).toBe("ready\n");
    });

    test("ask with the signal that was chosen, and let the program finish", async () => {
      const script = `trap 'echo stopping; exit 5' INT; echo ready; ${untilSignalled}`;
      const { exit, output } = await abortedWhenReady(script, { killSignal: "SIGINT", ...patient });
      expect(exit).toMatchObject({ code: 5, signal: null, aborted: true });
      expect(output).toBe("ready\nstopping\n");
    });

    test("that are aborted before the start keep it from starting", async () => {
      const reason = new Error("changed my mind");
      const process = suite.environment.create(suite.script("echo ran"), { signal: AbortSignal.abort(reason) });
      await expect(process.start()).rejects.toBe(reason);
      await process.close();
    });

    test("that are aborted in the middle end the program", async () => {
      const { exit } = await abortedWhenReady(forever, patient);
      expect(ending(exit)).toEqual({ code: null, signal: "SIGTERM", exitCode: 143 });
      expect(exit).toMatchObject({ aborted: true, timedOut: false });
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
