import { Readable } from "node:stream";
import { $, ExitError, exec } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { expectCode } from "./support.ts";

export function execTests(suite: Suite): void {
  describe("exec()", () => {
    test("gives the output, the code and the command", async () => {
      const result = await exec(suite.environment, suite.script("echo out; echo err >&2"));
      expect(result).toMatchObject({
        stdout: "out\n",
        stderr: "err\n",
        exitCode: 0,
        signal: null,
        failed: false,
        timedOut: false,
        aborted: false,
      });
      expect(result.command).toContain("echo out; echo err >&2");
      expect(result.durationMs).toBeGreaterThan(0);
    });

    test("throws an error that is also the result", async () => {
      const error: unknown = await exec(suite.environment, suite.script("echo out; echo why >&2; exit 5")).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ExitError);
      expect(error).toMatchObject({
        code: "ANYPROC_EXIT",
        exitCode: 5,
        stdout: "out\n",
        stderr: "why\n",
        failed: true,
      });
      expect(String(error)).toMatch(/exited with 5: why/);
    });

    test("returns a failure when asked to", async () => {
      const result = await exec(suite.environment, suite.script("exit 5"), { reject: false });
      expect(result).toMatchObject({ exitCode: 5, failed: true });
    });

    test("throws for a command that is not found", async () => {
      await expect(exec(suite.environment, ["anyproc-no-such-command"])).rejects.toMatchObject({
        code: "ANYPROC_EXIT",
        exitCode: 127,
      });
    });

    test("throws for a timeout and an abort, and tells them apart", async () => {
      const forever = suite.script("while :; do sleep 3600 & wait $!; done");
      await expect(exec(suite.environment, forever, { timeoutMs: 300 })).rejects.toMatchObject({
        code: "ANYPROC_EXIT",
        timedOut: true,
        aborted: false,
      });
      const reason = new Error("stop");
      const controller = new AbortController();
      const input = Readable.from(
        (async function* () {
          yield "x";
          controller.abort(reason);
          await new Promise(() => {});
        })(),
      );
      await expect(exec(suite.environment, forever, { signal: controller.signal, input })).rejects.toMatchObject({
        code: "ANYPROC_EXIT",
        timedOut: false,
        aborted: true,
        cause: reason,
      });
    });

    test("feeds text, bytes or a stream", async () => {
      for (const input of ["größe", Buffer.from("größe"), Readable.from([Buffer.from("gr"), Buffer.from("öße")])]) {
        expect((await exec(suite.environment, ["cat"], { input })).stdout).toBe("größe");
      }
    });

    test("takes one final newline off when asked to", async () => {
      const options = { trimFinalNewline: true };
      expect((await exec(suite.environment, suite.script("printf 'a\\n\\n'"), options)).stdout).toBe("a\n");
      expect((await exec(suite.environment, suite.script("printf 'a'"), options)).stdout).toBe("a");
    });

    test("ends a program that says too much", () =>
      expectCode(() => exec(suite.environment, ["yes"], { maxOutputBytes: 100_000 }), "ANYPROC_OUTPUT_LIMIT"));
  });

  describe("$", () => {
    test("passes each value as one argument", async () => {
      const run = $(suite.environment);
      const value = "a b; $(id) 'c' \"d\" * \\";
      const { stdout } = await run`printf ${"<%s>"} ${value} two "three ${3} ${"x y"}" pre${"fix"}`;
      expect(stdout).toBe(`<${value}><two><three 3 x y><prefix>`);
    });

    test("passes each item of an array as one argument", async () => {
      const { stdout } = await $(suite.environment)`printf ${"<%s>"} ${["a b", "", "c"]}`;
      expect(stdout).toBe("<a b><><c>");
    });

    test("refuses what only a shell would understand", async () => {
      await expectCode(() => $(suite.environment)`cat file | sort`, "ANYPROC_INVALID_COMMAND");
    });

    test("takes the final newline off, and throws for a failure", async () => {
      expect((await $(suite.environment)`echo done`).stdout).toBe("done");
      await expectCode(() => $(suite.environment)`false`, "ANYPROC_EXIT");
    });
  });
}
