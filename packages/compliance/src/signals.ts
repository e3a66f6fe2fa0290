import { type SignalName, signalNumber } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { ending, expectCode, sh, untilSignalled, untilText, withProcess } from "./support.ts";

const deadly: readonly SignalName[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGABRT",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
];

export function signalTests(suite: Suite): void {
  describe("signals", () => {
    for (const name of deadly) {
      test(`that end a program are its exit: ${name}`, async () => {
        const number = signalNumber(name) ?? 0;
        const result = await sh(suite, 'ulimit -c 0; kill -s "$1" $$', name.slice(3));
        expect(result).toMatchObject({ signal: name, exitCode: 128 + number });
      });
    }

    test("that end a program leave no exit code of its own", () =>
      withProcess(suite, suite.script("kill -s TERM $$"), async (process) => {
        await process.start();
        expect(ending(await process.wait())).toEqual({ code: null, signal: "SIGTERM", exitCode: 143 });
      }));

    test("reach the program", async ({ skip }) => {
      skip(suite.environment.capabilities.signals !== "all", "capabilities.signals is not all");
      const names = ["HUP", "INT", "USR1", "USR2", "TERM", "WINCH"];
      const traps = names.map((name) => `trap 'echo ${name}' ${name}`).join("; ");
      await withProcess(suite, suite.script(`${traps}; echo ready; ${untilSignalled}`), async (process) => {
        const output = process.forkStdout();
        const reader = process.forkStdout();
        output.resume();
        await process.start();
        await untilText(reader, "ready\n");
        for (const name of names) {
          const seen = untilText(reader, `${name}\n`);
          await process.signal(`SIG${name}` as SignalName);
          await seen;
        }
        await process.kill();
        expect(ending(await process.wait())).toEqual({ code: null, signal: "SIGKILL", exitCode: 137 });
      });
    });

    test("may be handled by the program, which then ends in its own way", async ({ skip }) => {
      skip(suite.environment.capabilities.signals !== "all", "capabilities.signals is not all");
      await withProcess(suite, suite.script(`trap 'exit 42' TERM; echo ready; ${untilSignalled}`), async (process) => {
        await process.start();
        await untilText(process.stdout, "ready\n");
        await process.signal("SIGTERM");
        expect(ending(await process.wait())).toEqual({ code: 42, signal: null, exitCode: 42 });
      });
    });

    test("have no effect after the end", () =>
      withProcess(suite, suite.script("exit 0"), async (process) => {
        await process.start();
        await process.wait();
        await process.signal("SIGTERM");
        await process.kill();
        expect((await process.wait()).exitCode).toBe(0);
      }));

    test("with unknown names are refused", () =>
      withProcess(suite, ["cat"], async (process) => {
        await process.start();
        await expectCode(() => process.signal("SIGNOTHING" as SignalName), "ANYPROC_INVALID_OPTION");
      }));

    test("cannot be sent before the start", () =>
      withProcess(suite, ["cat"], async (process) => {
        await expectCode(() => process.signal("SIGTERM"), "ANYPROC_NOT_RUNNING");
        await expectCode(() => process.kill(), "ANYPROC_NOT_RUNNING");
      }));
  });
}
