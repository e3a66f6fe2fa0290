import { getEventListeners } from "node:events";
import { readdir } from "node:fs/promises";
import { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { exec } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { Collector, sh, withProcess } from "./support.ts";

const mebibyte = 1024 * 1024;

export function loadTests(suite: Suite): void {
  describe("under load", () => {
    test("many processes at once keep their own output and code", async () => {
      const runs = Array.from({ length: suite.parallelism }, (_, index) =>
        sh(suite, 'cat; echo "$1"; exit "$1"', String(index % 256)),
      );
      const results = await Promise.all(runs);
      expect(results.map(({ stdout, exitCode }) => ({ stdout, exitCode }))).toEqual(
        results.map((_, index) => ({ stdout: `${index % 256}\n`, exitCode: index % 256 })),
      );
    });

    test("256 MiB of output through a slow sink are never held in memory", async () => {
      const sizeBytes = 256 * mebibyte;
      let received = 0;
      let largest = 0;
      let looks = 0;
      const slow = new Writable({
        write(chunk: Buffer, _encoding, callback): void {
          received += chunk.length;
          if (received >= looks * 16 * mebibyte) {
            looks += 1;
            largest = Math.max(largest, memoryInUse());
          }
          afterTurns(8, callback);
        },
      });
      const before = memoryInUse();
      await withProcess(suite, ["head", "-c", String(sizeBytes), "/dev/zero"], async (running) => {
        running.attachStdout(slow);
        await running.start();
        expect((await running.wait()).exitCode).toBe(0);
      });
      expect(received).toBe(sizeBytes);
      expect((largest - before) / mebibyte).toBeLessThan(32);
    });

    test("many runs leave no descriptor and no listener behind", async () => {
      const sink = new Collector();
      const controller = new AbortController();
      const round = async (): Promise<void> => {
        const running = suite.environment.create(suite.script("echo x; echo y >&2"), { signal: controller.signal });
        running.attachStdout(sink);
        running.attachStderr(sink);
        running.stdin.end();
        await running.start();
        await running.wait();
        sink.chunks.length = 0;
      };
      const batch = async (size: number): Promise<void> => {
        await Promise.all(Array.from({ length: size }, round));
      };
      await batch(10);
      const before = await held(sink, controller.signal);
      for (let left = suite.repetitions; left > 0; left -= 10) await batch(Math.min(left, 10));
      await exec(suite.environment, ["cat"], { input: "" });
      expect(await held(sink, controller.signal)).toEqual(before);
    });
  });
}

/** What cannot be collected: when garbage is, depends on how busy the machine is. */
function memoryInUse(): number {
  collectGarbage();
  const { external, heapUsed } = process.memoryUsage(); // `external` counts buffers in
  return external + heapUsed;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  gc();
  // Buffers that the first one found are freed by other threads; the second one waits for these.
  gc();
}

// A source gives a chunk in each turn of the event loop: this sink is several times slower, whatever the machine.
function afterTurns(count: number, callback: () => void): void {
  if (count === 0) callback();
  else setImmediate(afterTurns, count - 1, callback);
}

async function held(sink: Collector, signal: AbortSignal): Promise<Record<string, unknown>> {
  // Closed handles are let go of in the event loop's next turns.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  return {
    descriptors: process.platform === "linux" ? (await readdir("/proc/self/fd")).length : 0,
    children: process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap").length,
    sinkListeners: sink.eventNames().map((name) => sink.listenerCount(name)),
    abortListeners: getEventListeners(signal, "abort").length,
    exitListeners: process.listenerCount("exit"),
  };
}
