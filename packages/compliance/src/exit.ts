import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { Collector, ending, GatedCollector, run, sh, withProcess } from "./support.ts";

export function exitTests(suite: Suite): void {
  describe("exit", () => {
    test("codes from 0 to 255 are the program's own", async () => {
      const codes = Array.from({ length: 256 }, (_, code) => code);
      const seen: number[] = [];
      while (seen.length < codes.length) {
        const batch = codes.slice(seen.length, seen.length + 16);
        const results = await Promise.all(batch.map((code) => sh(suite, 'exit "$1"', String(code))));
        seen.push(...results.map((result) => result.exitCode));
      }
      expect(seen).toEqual(codes);
    });

    test("has a code and no signal when the program ends by itself", () =>
      withProcess(suite, suite.script("exit 7"), async (process) => {
        await process.start();
        expect(ending(await process.wait())).toEqual({ code: 7, signal: null, exitCode: 7 });
      }));

    test("is the same object for everybody who waits, then and later", () =>
      withProcess(suite, suite.script("exit 7"), async (process) => {
        await process.start();
        const exits = await Promise.all(Array.from({ length: 10 }, () => process.wait()));
        exits.push(await process.wait());
        expect(new Set(exits).size).toBe(1);
      }));

    test("has its code at hand once the process has ended, and not before", () =>
      withProcess(suite, suite.script("read -r _; exit 9"), async (process) => {
        expect(process.exitCode).toBeUndefined();
        await process.start();
        expect(process.exitCode).toBeUndefined();
        process.stdin.end("go on\n");
        await process.wait();
        expect(process.exitCode).toBe(9);
      }));

    test("is reported after the last byte of output", () =>
      withProcess(suite, suite.script("printf 'all of it'; printf 'errors too' >&2"), async (process) => {
        const output = new Collector();
        const errors = new Collector();
        process.attachStdout(output);
        process.attachStderr(errors);
        await process.start();
        await process.wait();
        expect([output.text, errors.text]).toEqual(["all of it", "errors too"]);
      }));

    test("is reported after the slowest sink has taken its last byte", () =>
      withProcess(suite, suite.script("echo slow"), async (process) => {
        const output = new GatedCollector();
        process.attachStdout(output);
        await process.start();
        let isOver = false;
        const waiting = process.wait().then(() => {
          isOver = true;
        });
        // Another whole process has come and gone in between.
        await sh(suite, "exit 0");
        expect(isOver).toBe(false);
        output.open();
        await waiting;
        expect(output.text).toBe("slow\n");
      }));

    test("is 127 for a command that is not found, and says so on stderr", async () => {
      const result = await run(suite, ["anyproc-no-such-command"]);
      expect(result).toMatchObject({ exitCode: 127, signal: null, stdout: "" });
      expect(result.stderr).toContain("anyproc-no-such-command");
    });

    test("is 127 for a path that does not exist", async () => {
      expect(await run(suite, ["/nonexistent/program"])).toMatchObject({ exitCode: 127 });
    });

    test("is 126 for a directory, and says so on stderr", async () => {
      const result = await run(suite, ["/"]);
      expect(result).toMatchObject({ exitCode: 126, stdout: "" });
      expect(result.stderr).not.toBe("");
    });

    test("is 126 for a file that is not executable", async () => {
      const file = (await sh(suite, "mktemp")).stdout.trim();
      expect(await run(suite, [file])).toMatchObject({ exitCode: 126 });
      await sh(suite, 'rm "$1"', file);
    });

    test("of a command that never ran may be waited for, signalled and closed", () =>
      withProcess(suite, ["anyproc-no-such-command"], async (process) => {
        process.stdin.end("for nobody");
        await process.start();
        expect((await process.wait()).exitCode).toBe(127);
        await process.signal("SIGTERM");
        await process.kill();
      }));
  });
}
