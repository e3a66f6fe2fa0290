import { once } from "node:events";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { bytesOf, Collector, GatedCollector, run, sh, untilText, withProcess } from "./support.ts";

const countTo = (last: number): string => `i=0; while [ $i -lt ${last} ]; do i=$((i + 1)); echo line $i; done`;
const counted = (last: number): string => Array.from({ length: last }, (_, index) => `line ${index + 1}\n`).join("");

export function sinkTests(suite: Suite): void {
  describe("output", () => {
    test("keeps stdout and stderr apart", async () => {
      const result = await sh(suite, "echo out; echo err >&2; echo out again");
      expect(result).toMatchObject({ stdout: "out\nout again\n", stderr: "err\n" });
    });

    test("keeps its order", async () => {
      expect((await sh(suite, countTo(5000))).stdout).toBe(counted(5000));
    });

    test("carries binary data unchanged on both streams", async () => {
      const octal = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      const { stdoutBytes, stderrBytes } = await sh(suite, 'printf "$1"; printf "$1" >&2', octal);
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      expect([Buffer.from(stdoutBytes), Buffer.from(stderrBytes)]).toEqual([everyByte, everyByte]);
    });

    test("of null goes nowhere", async () => {
      const result = await run(suite, { argv: suite.script("echo out; echo err >&2"), stdout: "null", stderr: "null" });
      expect(result).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    });

    test("that nobody reads does not keep wait() waiting", () =>
      withProcess(suite, suite.script(countTo(20_000)), async (process) => {
        await process.start();
        expect((await process.wait()).exitCode).toBe(0);
      }));

    test("waits for its first reader", () =>
      withProcess(suite, suite.script("echo early; exec 1>&-; echo closed >&2"), async (process) => {
        await process.start();
        await untilText(process.stderr, "closed");
        expect((await bytesOf(process.stdout)).toString()).toBe("early\n");
      }));

    test("reaches every sink attached before the start", () =>
      withProcess(suite, suite.script(countTo(1000)), async (process) => {
        const sinks = [new Collector(), new Collector(), new Collector()];
        for (const sink of sinks) process.attachStdout(sink);
        await process.start();
        await process.wait();
        expect(sinks.map((sink) => sink.text)).toEqual(sinks.map(() => counted(1000)));
      }));

    test("reaches a sink attached later from then on", () =>
      withProcess(suite, suite.script("echo first; read -r _; echo second"), async (process) => {
        const early = new Collector();
        const late = new Collector();
        process.attachStdout(early);
        const reading = untilText(process.stdout, "first\n");
        await process.start();
        await reading;
        process.attachStdout(late);
        process.stdin.end("go on\n");
        await process.wait();
        expect([early.text, late.text]).toEqual(["first\nsecond\n", "second\n"]);
      }));

    test("reaches the others when one sink fails", () =>
      withProcess(suite, suite.script(countTo(2000)), async (process) => {
        const good = new Collector();
        const failing = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error("disk full")) });
        process.attachStdout(failing);
        process.attachStdout(good);
        await process.start();
        await process.wait();
        expect(good.text).toBe(counted(2000));
      }));

    test("reaches the others when one sink throws, which fails with a code of ours", () =>
      withProcess(suite, suite.script(countTo(2000)), async (process) => {
        const good = new Collector();
        const reason = new Error("cannot write");
        const throwing = new Writable({
          write() {
            throw reason;
          },
        });
        const failed = once(throwing, "error");
        process.attachStdout(throwing);
        process.attachStdout(good);
        await process.start();
        await process.wait();
        expect(good.text).toBe(counted(2000));
        expect(await failed).toMatchObject([{ code: "ANYPROC_SINK_FAILED", cause: reason }]);
      }));

    test("reaches the others when one sink is destroyed in the middle", () =>
      withProcess(suite, suite.script(`echo first; read -r _; ${countTo(2000)}`), async (process) => {
        const good = new Collector();
        const leaving = new Collector();
        process.attachStdout(leaving);
        process.attachStdout(good);
        const reading = untilText(process.stdout, "first\n");
        await process.start();
        await reading;
        leaving.destroy();
        process.stdin.end("go on\n");
        await process.wait();
        expect(good.text).toBe(`first\n${counted(2000)}`);
      }));

    test("is complete in a slow sink and a fast one alike", () =>
      withProcess(suite, suite.script(countTo(20_000)), async (process) => {
        const slow = new GatedCollector();
        const fast = new Collector();
        process.attachStdout(slow);
        process.attachStdout(fast);
        const fork = process.forkStdout();
        await process.start();
        await untilText(fork, "line 1\n");
        const waiting = process.wait();
        slow.open();
        await waiting;
        expect(slow.text).toBe(counted(20_000));
        expect(fast.text).toBe(counted(20_000));
      }));

    test("leaves its sinks open, unless told to end them", () =>
      withProcess(suite, suite.script("echo done"), async (process) => {
        const shared = new Collector();
        const own = new Collector();
        process.attachStdout(shared);
        process.attachStdout(own, { end: true });
        await process.start();
        await process.wait();
        expect([shared.writableEnded, own.writableEnded]).toEqual([false, true]);
      }));

    test("may be read as several independent copies", () =>
      withProcess(suite, suite.script("echo out; echo err >&2"), async (process) => {
        const forks = [process.forkStdout(), process.forkStdout(), process.forkStderr(), process.stdout];
        const texts = Promise.all(forks.map(bytesOf));
        await process.start();
        expect((await texts).map(String)).toEqual(["out\n", "out\n", "err\n", "out\n"]);
      }));

    test("ends the program when its last reader leaves, as in a shell's pipeline", () =>
      withProcess(suite, ["yes"], async (process) => {
        const fork = process.forkStdout();
        await process.start();
        await untilText(fork, "y\n");
        fork.destroy();
        const exit = await process.wait();
        // SIGPIPE, or what `yes` says of EPIPE where the signal is ignored.
        expect(exit.exitCode).not.toBe(0);
      }));

    test("of one reader goes on when another one leaves", () =>
      withProcess(suite, suite.script(`echo first; read -r _; ${countTo(1000)}`), async (process) => {
        const leaving = process.forkStdout();
        const staying = bytesOf(process.forkStdout());
        await process.start();
        await untilText(leaving, "first\n");
        leaving.destroy();
        process.stdin.end("go on\n");
        expect((await staying).toString()).toBe(`first\n${counted(1000)}`);
      }));
  });
}
