import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { bytesOf, Collector, expectCode, run, untilText, withProcess, write } from "./support.ts";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

export function stdinTests(suite: Suite): void {
  describe("stdin", () => {
    test("carries every byte there and back", async () => {
      const result = await run(suite, ["cat"], { input: everyByte });
      expect(Buffer.from(result.stdoutBytes)).toEqual(everyByte);
    });

    test("carries megabytes there and back without a change", async () => {
      const input = randomBytes(4 * 1024 * 1024);
      const result = await run(suite, ["cat"], { input });
      expect(Buffer.from(result.stdoutBytes).equals(input)).toBe(true);
    });

    test("that ends is the program's end of file", () =>
      withProcess(suite, ["cat"], async (process) => {
        await process.start();
        process.stdin.end();
        expect((await process.wait()).exitCode).toBe(0);
      }));

    test("may end while the output goes on", () =>
      withProcess(suite, suite.script("cat >/dev/null; echo ended; echo more"), async (process) => {
        const output = bytesOf(process.stdout);
        await process.start();
        process.stdin.end("some input");
        expect((await output).toString()).toBe("ended\nmore\n");
      }));

    test("may be written before the start", () =>
      withProcess(suite, ["cat"], async (process) => {
        const output = bytesOf(process.stdout);
        process.stdin.write("before ");
        process.stdin.end("the start");
        await process.start();
        expect((await output).toString()).toBe("before the start");
      }));

    test("answers line by line: neither side waits for a full buffer", () =>
      withProcess(suite, suite.script('while read -r line; do echo "got $line"; done'), async (process) => {
        const lines = process.lines()[Symbol.asyncIterator]();
        await process.start();
        for (let turn = 0; turn < 100; turn += 1) {
          await write(process.stdin, `${turn}\n`);
          expect(await lines.next()).toEqual({ done: false, value: `got ${turn}` });
        }
        process.stdin.end();
        expect(await lines.next()).toMatchObject({ done: true });
      }));

    test("of null is at its end from the start", async () => {
      const result = await run(suite, { argv: ["cat"], stdin: "null" });
      expect(result).toMatchObject({ exitCode: 0, stdout: "" });
    });

    test("that the program does not read may be written without harm", () =>
      withProcess(suite, suite.script("exit 3"), async (process) => {
        await process.start();
        // More than any pipe holds: the program's end has to let go of it.
        const written = write(process.stdin, randomBytes(1024 * 1024));
        expect((await process.wait()).exitCode).toBe(3);
        await written;
        process.stdin.end();
      }));

    test("that the program closes lets go of what feeds it", () =>
      withProcess(suite, suite.script("exec <&-; echo closed; read -r _ 2>/dev/null; exit 0"), async (process) => {
        process.attachStdin(Readable.from(endless()));
        await process.start();
        expect((await process.wait()).exitCode).toBe(0);
      }));

    test("is fed from a stream, and ends with it", () =>
      withProcess(suite, ["cat"], async (process) => {
        const output = bytesOf(process.stdout);
        process.attachStdin(Readable.from([Buffer.from("from a "), Buffer.from("stream")]));
        await process.start();
        expect((await output).toString()).toBe("from a stream");
      }));

    test("is fed from several streams, one after the other", () =>
      withProcess(suite, ["cat"], async (process) => {
        const output = bytesOf(process.stdout);
        for (const text of ["one ", "two ", "three"]) process.attachStdin(Readable.from([Buffer.from(text)]));
        await process.start();
        expect((await output).toString()).toBe("one two three");
      }));

    test("is fed from a stream attached after the start", () =>
      withProcess(suite, suite.script("echo ready; cat"), async (process) => {
        const output = new Collector();
        process.attachStdout(output);
        const fork = process.forkStdout();
        await process.start();
        await untilText(fork, "ready\n");
        process.attachStdin(Readable.from([Buffer.from("late")]));
        await process.wait();
        expect(output.text).toBe("ready\nlate");
      }));

    test("that fails is no end of file: the program is ended, and wait() says why", () =>
      withProcess(suite, suite.script('cat; echo "end of file"'), async (process) => {
        const failure = new Error("no more");
        const output = new Collector();
        const failing = new Readable({ read() {} });
        failing.push("half");
        process.attachStdout(output);
        process.attachStdin(failing);
        process.attachStdin(Readable.from([Buffer.from("the next one")]));
        const fork = process.forkStdout();
        await process.start();
        await untilText(fork, "half");
        failing.destroy(failure);
        await expect(process.wait()).rejects.toMatchObject({ code: "ANYPROC_INPUT_FAILED", cause: failure });
        expect(output.text).toBe("half");
        expect(process.exitCode).toBe(128 + 15);
      }));

    test("that has failed before the start keeps the program from being started", () =>
      withProcess(suite, ["cat"], async (process) => {
        const failing = new Readable({ read() {} });
        failing.destroy(new Error("no more"));
        process.attachStdin(failing);
        await expectCode(() => process.start(), "ANYPROC_INPUT_FAILED");
      }));
  });
}

function* endless(): Generator<Buffer, void, undefined> {
  for (;;) yield Buffer.alloc(64 * 1024);
}
