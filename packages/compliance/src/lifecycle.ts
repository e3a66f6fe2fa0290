import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { bytesOf, Collector, expectCode, patient, untilText, withProcess } from "./support.ts";

export function lifecycleTests(suite: Suite): void {
  describe("a process", () => {
    test("is started once", () =>
      withProcess(suite, ["cat"], async (process) => {
        await process.start();
        await expectCode(() => process.start(), "ANYPROC_ALREADY_RUNNING");
      }));

    test("is started once, by two callers at the same moment too", () =>
      withProcess(suite, ["cat"], async (process) => {
        const both = await Promise.allSettled([process.start(), process.start()]);
        expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      }));

    test("cannot be waited for before the start", () =>
      withProcess(suite, ["cat"], async (process) => {
        await expectCode(() => process.wait(), "ANYPROC_NOT_RUNNING");
      }));

    test("may be closed before the start, and cannot be started then", async () => {
      const process = suite.environment.create(["cat"]);
      await process.close();
      await expectCode(() => process.start(), "ANYPROC_CLOSED");
    });

    test("closed before the start ends what was attached to it", async () => {
      const process = suite.environment.create(["cat"]);
      const sink = new Collector();
      process.attachStdout(sink, { end: true });
      process.stdin.write("for nobody");
      await process.close();
      expect(sink.writableEnded).toBe(true);
    });

    test("may be closed twice", async () => {
      const process = await suite.environment.spawn(["cat"]);
      await Promise.all([process.close(), process.close()]);
      await process.close();
      expect(process.exitCode).toBeDefined();
    });

    test("may be closed after its end", async () => {
      const process = await suite.environment.spawn(suite.script("exit 6"));
      await process.wait();
      await process.close();
      expect(process.exitCode).toBe(6);
    });

    test("that is closed may finish its work first", async () => {
      const script = "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 3600 & wait $!; done";
      const process = suite.environment.create(suite.script(script), patient);
      const output = new Collector();
      process.attachStdout(output);
      const reading = untilText(process.stdout, "ready\n");
      await process.start();
      await reading;
      await process.close();
      expect(output.text).toBe("ready\nsaved\n");
    });

    test("that is closed waits for no reader", async () => {
      const process = suite.environment.create(["yes"]);
      const unread = process.stdout;
      const reading = untilText(process.forkStdout(), "y\n");
      await process.start();
      await reading;
      await process.close();
      expect((await bytesOf(unread)).subarray(0, 4).toString()).toBe("y\ny\n");
    });

    test("is closed at the end of its scope", async () => {
      const process = await suite.environment.spawn(["cat"]);
      await process[Symbol.asyncDispose]();
      expect(process.exitCode).toBeDefined();
    });

    test("has a pid where capabilities say so", () =>
      withProcess(suite, ["cat"], async (process) => {
        expect(process.pid).toBeUndefined();
        await process.start();
        if (suite.environment.capabilities.pid === "none") expect(process.pid).toBeUndefined();
        else expect(process.pid).toBeGreaterThan(0);
      }));

    test("knows the command it runs", () =>
      withProcess(suite, { argv: ["cat"], cwd: "/" }, async (process) => {
        expect(process.command).toEqual({ argv: ["cat"], cwd: "/" });
      }));

    test("has no terminal to resize unless it asked for one", () =>
      withProcess(suite, ["cat"], async (process) => {
        await process.start();
        await expectCode(() => process.resize({ columns: 80, rows: 24 }), "ANYPROC_UNSUPPORTED");
      }));

    test("cannot be asked for what the environment does not have", async () => {
      const { environment } = suite;
      const { capabilities } = environment;
      const wishes = [
        [capabilities.pty, { argv: ["cat"], pty: true }],
        [capabilities.user, { argv: ["cat"], user: { uid: 1 } }],
        [capabilities.inherit, { argv: ["cat"], stdout: "inherit" }],
      ] as const;
      for (const [isThere, command] of wishes) {
        if (!isThere) await expectCode(() => environment.create(command), "ANYPROC_UNSUPPORTED");
      }
      expect(environment.fs !== undefined).toBe(capabilities.files);
    });
  });

  describe("an environment", () => {
    test("that is closed ends its processes and starts no more", async () => {
      const { environment, cleanup } = await suite.setup();
      const running = await Promise.all([environment.spawn(["cat"]), environment.spawn(["cat"])]);
      await environment.close();
      expect(running.map((process) => process.exitCode !== undefined)).toEqual([true, true]);
      await expectCode(() => environment.create(["cat"]), "ANYPROC_CLOSED");
      await expectCode(() => environment.spawn(["cat"]), "ANYPROC_CLOSED");
      await environment.close();
      await environment[Symbol.asyncDispose]();
      await cleanup?.();
    });

    test("that is closed starts no process that was created before", async () => {
      const { environment, cleanup } = await suite.setup();
      const process = environment.create(["cat"]);
      await environment.close();
      await expectCode(() => process.start(), "ANYPROC_CLOSED");
      await cleanup?.();
    });
  });
}
