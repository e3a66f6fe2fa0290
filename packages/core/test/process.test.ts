import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import type { Process } from "@anyproc/core";
import { describe, expect, test, vi } from "vitest";
import { localEnvironment, nodeProgram } from "./local-environment.ts";

const environment = localEnvironment();
const copyStdin = nodeProgram("process.stdin.pipe(process.stdout)");
const never = nodeProgram("setInterval(() => {}, 1000); console.log('ready')");

describe("before the start", () => {
  test("what is written, attached and forked is there when the program runs", async () => {
    const child = environment.create(copyStdin);
    child.stdin.write("one ");
    child.attachStdin(Readable.from([Buffer.from("two")]));
    const sink = new PassThrough();
    child.attachStdout(sink, { end: true });
    const fork = text(child.forkStdout());
    await child.start();
    await child.wait();
    expect(await fork).toBe("one two");
    expect(await text(sink)).toBe("one two");
  });

  test("it cannot be waited for, signalled or killed", async () => {
    const child = environment.create(copyStdin);
    const notRunning = { code: "ANYPROC_NOT_RUNNING" };
    await expect(child.wait()).rejects.toMatchObject(notRunning);
    await expect(child.signal("SIGTERM")).rejects.toMatchObject(notRunning);
    await expect(child.kill()).rejects.toMatchObject(notRunning);
    expect(child.pid).toBeUndefined();
    expect(child.exitCode).toBeUndefined();
  });

  test("it can be closed, which ends its streams and forbids the start", async () => {
    const child = environment.create(copyStdin);
    const fork = buffer(child.forkStdout());
    await child.close();
    await child.close();
    expect((await fork).length).toBe(0);
    await expect(child.start()).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  });
});

describe("running", () => {
  test("a second start is refused", async () => {
    const child = await environment.spawn(copyStdin);
    await expect(child.start()).rejects.toMatchObject({ code: "ANYPROC_ALREADY_RUNNING" });
    await child.close();
  });

  test("sources are fed one after the other, and the last one ends stdin", async () => {
    const child = environment.create(copyStdin);
    child.attachStdin(Readable.from([Buffer.from("a"), Buffer.from("b")]));
    child.attachStdin(Readable.from([]));
    child.attachStdin(Readable.from([Buffer.from("c")]));
    const out = text(child.stdout);
    await child.start();
    expect(await out).toBe("abc");
    expect(() => child.attachStdin(Readable.from([]))).toThrow(expect.objectContaining({ code: "ANYPROC_CLOSED" }));
    await child.wait();
  });

  test("a source is no longer read once the program has closed its stdin", async () => {
    const child = environment.create(nodeProgram("process.stdin.once('data', () => process.exit(0))"));
    const source = new Readable({ read: () => void source.push(Buffer.alloc(65536)) });
    child.attachStdin(source);
    await child.start();
    expect((await child.wait()).code).toBe(0);
    expect(source.readableFlowing).toBe(false);
  });

  test("every caller of wait gets the same object", async () => {
    const child = await environment.spawn(nodeProgram("process.exit(5)"));
    const exits = await Promise.all(Array.from({ length: 10 }, () => child.wait()));
    expect(new Set(exits).size).toBe(1);
    expect(exits[0]).toEqual({ code: 5, signal: null, exitCode: 5, timedOut: false, aborted: false });
    expect(child.exitCode).toBe(5);
  });

  test("output waits for its reader, also when the program has ended meanwhile", async () => {
    const child = await environment.spawn(nodeProgram("console.log('out'); console.error('err')"));
    while (child.exitCode === undefined) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(await Promise.all([text(child.stdout), text(child.forkStderr())])).toEqual(["out\n", "err\n"]);
    expect((await child.wait()).code).toBe(0);
  });

  test("leaving lines() early lets the program go on", async () => {
    const child = await environment.spawn(
      nodeProgram("console.log('listening'); process.stdin.on('data', () => { console.log('x'); process.exit(0) })"),
    );
    for await (const line of child.lines()) {
      expect(line).toBe("listening");
      break;
    }
    child.stdin.write("go");
    expect(await child.wait()).toMatchObject({ code: 0 });
  });

  test("close asks, then forces, and is one promise for everybody", async () => {
    const child = environment.create(
      nodeProgram("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')"),
      {
        forceKillAfterMs: 50,
      },
    );
    await child.start();
    await once(child.stdout, "data");
    expect(child.close()).toBe(child.close());
    await child.close();
    expect(await child.wait()).toMatchObject({ signal: "SIGKILL", timedOut: false, aborted: false });
  });

  test("a signal after the end does nothing", async () => {
    const child = await environment.spawn(nodeProgram(""));
    await child.wait();
    await child.signal("SIGTERM");
    await expect(child.signal("toString" as never)).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
    await child.kill();
    expect((await child.wait()).code).toBe(0);
  });
});

describe("a descendant that has cut all ties and holds the output", () => {
  const leaving = nodeProgram(`
    const { spawn } = require("node:child_process");
    const stay = "console.log(process.pid); setInterval(() => {}, 1000)";
    spawn(process.execPath, ["-e", stay], { stdio: ["ignore", "inherit", "ignore"], detached: true }).unref();
    process.exitCode = 3;`);

  test.each<[string, (child: Process, controller: AbortController) => unknown]>([
    ["close()", (child) => child.close()],
    ["kill()", (child) => child.kill()],
    ["an abort", (_child, controller) => controller.abort()],
  ])("does not keep wait() waiting after %s", async (_how, stop) => {
    const controller = new AbortController();
    const child = await environment.spawn(leaving, { signal: controller.signal });
    const [pid] = (await once(child.stdout, "data")) as [Buffer];
    try {
      while (child.exitCode === undefined) await new Promise(setImmediate);
      await stop(child, controller);
      expect(await child.wait()).toMatchObject({ code: 3, timedOut: false, aborted: false });
    } finally {
      process.kill(Number(pid));
    }
  });

  test("does not keep wait() waiting after the timeout", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const timeoutMs = 60_000;
      const child = await environment.spawn(leaving, { timeoutMs });
      const [pid] = (await once(child.stdout, "data")) as [Buffer];
      try {
        while (child.exitCode === undefined) await new Promise(setImmediate);
        const waiting = child.wait();
        await vi.advanceTimersByTimeAsync(timeoutMs);
        await vi.advanceTimersByTimeAsync(timeoutMs);
        expect(await waiting).toMatchObject({ code: 3, timedOut: false });
      } finally {
        process.kill(Number(pid));
      }
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("an environment", () => {
  test("closes what it started, once, and starts nothing afterwards", async () => {
    const own = localEnvironment();
    const child = await own.spawn(never);
    await once(child.stdout, "data");
    await Promise.all([own.close(), own.close()]);
    expect((await child.wait()).signal).toBe("SIGTERM");
    expect(() => own.create(never)).toThrow(expect.objectContaining({ code: "ANYPROC_CLOSED" }));
    await expect(own.spawn(never)).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  });

  test("closes what a program that has ended left unread", async () => {
    const own = localEnvironment();
    const child = await own.spawn(nodeProgram("console.log('out')"));
    while (child.exitCode === undefined) await new Promise(setImmediate);
    await own.close();
    expect(await child.wait()).toMatchObject({ code: 0 });
    expect(await text(child.stdout)).toBe("");
  });

  test.each([
    ["pty", { argv: ["x"], pty: true }],
    ["user", { argv: ["x"], user: "root" }],
    ["inherited stdio", { argv: ["x"], stdout: "inherit" }],
    ["not text", { argv: [new Uint8Array([0xff])] }],
  ] as const)("refuses what its capabilities lack: %s", (what, command) => {
    expect(() => environment.create(command)).toThrow(
      expect.objectContaining({ code: "ANYPROC_UNSUPPORTED", message: expect.stringContaining(what) }),
    );
  });
});

test("what is no stream can neither feed a process nor take its output", async () => {
  const child = environment.create(copyStdin);
  const refused = expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" });
  expect(() => child.attachStdin(undefined as unknown as Readable)).toThrow(refused);
  expect(() => child.attachStdout(undefined as unknown as PassThrough)).toThrow(refused);
  expect(() => child.attachStderr({} as PassThrough)).toThrow(refused);
  await child.start();
  child.stdin.end();
  expect((await child.wait()).code).toBe(0);
});

describe("stdin that is destroyed", () => {
  test("is the program's end of file, before the start or later", async () => {
    const early = environment.create(copyStdin);
    early.stdin.destroy();
    await early.start();
    expect((await early.wait()).code).toBe(0);

    const late = await environment.spawn(copyStdin);
    const out = text(late.stdout);
    late.stdin.write("written", () => late.stdin.destroy());
    expect(await out).toBe("written");
    expect((await late.wait()).code).toBe(0);
  });
});

describe("a stream that feeds stdin", () => {
  test("fails when it gives anything but text and bytes", async () => {
    const child = environment.create(copyStdin);
    child.attachStdin(Readable.from(["text", { no: "text" }, "more"]));
    await child.start();
    await expect(child.wait()).rejects.toMatchObject({
      code: "ANYPROC_INPUT_FAILED",
      message: expect.stringContaining("a value of type object"),
    });
  });

  test("keeps no listener when the program ends first, however many programs it has fed", async () => {
    const source = new Readable({ read() {} });
    for (let turn = 0; turn < 3; turn += 1) {
      const child = environment.create(nodeProgram(""));
      child.attachStdin(source);
      await child.start();
      await child.wait();
    }
    expect(source.eventNames().map((name) => [name, source.listenerCount(name)])).toEqual([]);
  });

  test("is left alone when the program has ended already", async () => {
    const child = await environment.spawn(nodeProgram(""));
    child.stdin.write("nothing that anybody reads");
    await child.wait();
    const source = new Readable({ read() {} });
    child.attachStdin(source);
    expect(source.eventNames()).toEqual([]);
  });

  test("may fail before its turn", async () => {
    const failure = new Error("never began");
    const child = environment.create(copyStdin);
    const second = new Readable({ read() {} });
    child.attachStdin(new Readable({ read() {} }));
    child.attachStdin(second);
    await child.start();
    second.destroy(failure);
    await expect(child.wait()).rejects.toMatchObject({ code: "ANYPROC_INPUT_FAILED", cause: failure });
  });
});
