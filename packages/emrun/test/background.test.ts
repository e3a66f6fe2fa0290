import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { type Background, RunError } from "@anyproc/emrun";
import { describe, expect, test } from "vitest";
import { implementations } from "./implementations.ts";
import { script } from "./payloads.ts";

/** True while a process runs; one that has ended may still wait for its parent. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Runs a script that starts a child of its own; gives what it says before it waits for ever. */
const family = script(`
  sleep 1000 &
  echo "$$ $!"
  wait`);

/** Reads on afterwards: who writes to a pipe that is no longer read is ended by SIGPIPE. */
async function firstLine(stream: PassThrough): Promise<string> {
  const [line] = (await once(stream, "data")) as [Buffer];
  return String(line);
}

// Longer than a machine that is busy with other things may take to give a process its turn.
const patience = { forceKillAfterMs: 60_000 };

function toPids(line: string): number[] {
  return line.trim().split(" ").map(Number);
}

describe.each(implementations)("$name in the background", ({ functions }) => {
  async function startFamily(options: object = {}): Promise<{ running: Background; pids: number[] }> {
    const stdout = new PassThrough();
    const running = await functions.runIOBG(family, [], { stdout, ...patience, ...options });
    return { running, pids: toPids(await firstLine(stdout)) };
  }

  test("done, wait and waitWithSignal all give the same result, any number of times", async () => {
    const running = await functions.runBG(script("echo hello"));
    expect(running.pid).toBeGreaterThan(0);
    const result = await running.done;
    expect(String(result.combinedOutput)).toBe("hello\n");
    expect(result.error).toBeUndefined();
    expect(await running.done).toBe(result);
    expect(await running.wait()).toBe(result);
    expect(await running.waitWithSignal(AbortSignal.abort())).toBe(result);
    await running.cancel();
    expect(await running.done).toBe(result);
  });

  test("a failure comes with done, and is thrown by wait, unless reject is false", async () => {
    const running = await functions.doBG("#!/bin/sh\necho out; exit 7");
    expect(await running.done).toMatchObject({ exitCode: 7, error: { code: "ANYPROC_EXIT", exitCode: 7 } });
    await expect(running.wait()).rejects.toBeInstanceOf(RunError);
    const lenient = await functions.doBG("#!/bin/sh\nexit 7", [], { reject: false });
    expect(await lenient.wait()).toMatchObject({ exitCode: 7, error: { code: "ANYPROC_EXIT" } });
  });

  test("streams", async () => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const running = await functions.runIOEBG(script("cat; echo err >&2"), [], { stdin, stdout, stderr });
    stdin.end("from the caller");
    expect(await running.wait()).toMatchObject({ exitCode: 0, combinedOutput: null });
    expect(await text(stdout.end())).toBe("from the caller");
    expect(await text(stderr.end())).toBe("err\n");
  });

  test("a stream that fails while it is read comes with done, too, and leaves nothing open", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const stdin = new PassThrough();
    const running = await functions.runBG(script("echo read; cat"), [], { stdin, ...patience });
    stdin.destroy(new Error("the disk is gone"));
    const failure = { code: "ANYPROC_INPUT_FAILED", cause: { message: "the disk is gone" } };
    expect(await running.done).toMatchObject({ exitCode: 143, error: failure });
    await expect(running.wait()).rejects.toMatchObject(failure);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  test("what cannot be started is an error of the start", async () => {
    await expect(functions.doBG("no first line")).rejects.toMatchObject({ exitCode: 126 });
    await expect(functions.runBG(script(""), [], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  test("cancel ends the tree, and says so", async () => {
    const { running, pids } = await startFamily();
    expect(pids.map(isAlive)).toEqual([true, true]);
    await running.cancel(new Error("enough"));
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await running.done).toMatchObject({
      aborted: true,
      signal: "SIGTERM",
      error: { code: "ANYPROC_EXIT", cause: { message: "enough" } },
    });
  });

  test("cancel forces what ignores the request", async () => {
    const stdout = new PassThrough();
    const stubborn = script("trap '' TERM; echo ready; while :; do sleep 1000; done");
    const running = await functions.runIOBG(stubborn, [], { stdout, forceKillAfterMs: 50 });
    expect(await firstLine(stdout)).toBe("ready\n");
    await running.cancel();
    expect(await running.done).toMatchObject({ aborted: true, signal: "SIGKILL" });
  });

  test("a timeout ends the tree", async () => {
    let said = "";
    // Twice the time again, until it is enough for the family to be there, however slow the machine is.
    for (let timeoutMs = 200; said === ""; timeoutMs *= 2) {
      const stdout = new PassThrough();
      const running = await functions.runIOBG(family, [], { stdout, ...patience, timeoutMs });
      expect(await running.done).toMatchObject({
        timedOut: true,
        error: { message: expect.stringMatching(/timed out$/) },
      });
      said = await text(stdout.end());
    }
    expect(toPids(said).map(isAlive)).toEqual([false, false]);
    await expect(functions.run(script("sleep 1000"), [], { timeoutMs: 50 })).rejects.toMatchObject({ timedOut: true });
  });

  test("an AbortSignal ends the tree, and its reason is the cause", async () => {
    const controller = new AbortController();
    const { running, pids } = await startFamily({ signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await expect(running.wait()).rejects.toMatchObject({ aborted: true, cause: { message: "changed my mind" } });
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  test("a result goes before an abort that comes late", async () => {
    const controller = new AbortController();
    const running = await functions.runBG(script("echo done"), [], { signal: controller.signal });
    const result = await running.done;
    controller.abort();
    expect(await running.wait()).toBe(result);
    expect(result).toMatchObject({ exitCode: 0, aborted: false, error: undefined });
  });

  test("a payload that ends by itself with 0 has succeeded, even if it was asked to stop", async () => {
    const stdout = new PassThrough();
    const polite = script("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    const running = await functions.runIOBG(polite, [], { stdout, ...patience });
    expect(await firstLine(stdout)).toBe("ready\n");
    await running.cancel();
    expect(await running.wait()).toMatchObject({ exitCode: 0, aborted: true, error: undefined });
  });

  test("giving up waiting leaves the payload running", async () => {
    const stdin = new PassThrough();
    const running = await functions.runBG(script("cat"), [], { stdin });
    const controller = new AbortController();
    const waiting = running.waitWithSignal(controller.signal);
    controller.abort(new Error("later"));
    await expect(waiting).rejects.toThrow("later");
    await expect(running.waitWithSignal(controller.signal)).rejects.toThrow("later");
    stdin.end("still here");
    expect(String((await running.wait()).combinedOutput)).toBe("still here");
  });

  test("leaving its scope cancels it", async () => {
    let pids: number[];
    {
      const started = await startFamily();
      await using running = started.running;
      pids = started.pids;
      expect(isAlive(running.pid ?? 0)).toBe(true);
    }
    expect(pids.map(isAlive)).toEqual([false, false]);
  });
});
