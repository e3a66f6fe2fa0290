import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exec, type Process } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SshEnvironment } from "../src/index.ts";
import {
  describeOnServer,
  destination,
  enter,
  rejection,
  type SshServer,
  startSshServer,
  until,
  within,
} from "./server.ts";

let server: SshServer;
beforeAll(async () => {
  server = await startSshServer();
});
afterAll(() => server.stop());

describeOnServer("a lost connection", () => {
  it("is an error of every command that runs, never an exit code", async () => {
    const box = await enter(server);
    const running = await Promise.all([box.spawn(["sleep", "1000"]), box.spawn(["cat"])]);
    const unread = await box.spawn(["yes"]);
    const waiting = [...running, unread].map((process) => rejection(process.wait()));
    server.dropConnections();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
      expect(error.message).toContain("connect again, or set reconnect");
    }
    for (const process of running) expect(process.exitCode).toBeUndefined();
    expect(await rejection(exec(box, ["true"]))).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await box.close();
  });

  it("is an error of a command that is still waiting for a session", async () => {
    const box = await enter(server);
    let started = 0;
    const commands = Array.from({ length: 100 }, async () => {
      const process = await box.spawn(["sleep", "1000"]);
      started += 1;
      await process.wait();
    });
    const errors = Promise.all(commands.map(rejection));
    await until(() => started === 64);
    server.dropConnections();
    for (const error of await errors) expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await box.close();
  });

  it("is replaced for the next command with reconnect, also when the server needs a moment", async () => {
    const reconnect = { attempts: Number.POSITIVE_INFINITY, delayMs: 20, maxDelayMs: 50 };
    await within(enter(server, { reconnect }), async (box) => {
      const process = await box.spawn(["sleep", "1000"]);
      const lost = rejection(process.wait());
      await server.kill();
      expect(await lost).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
      const answers = Promise.all([exec(box, ["echo", "one"]), exec(box, ["echo", "two"])]);
      await server.restart();
      expect((await answers).map(({ stdout }) => stdout)).toEqual(["one\n", "two\n"]);
    });
  });

  it("is not waited for by an environment that is closed while it connects again", async () => {
    const other = await startSshServer();
    const box = await enter(other, { reconnect: { attempts: Number.POSITIVE_INFINITY } });
    const silent = createServer((socket) => socket.resume());
    const process = await box.spawn(["sleep", "1000"]);
    const lost = rejection(process.wait());
    await other.kill();
    await lost;
    await new Promise<void>((resolve) => silent.listen(other.port, other.host, resolve));
    const connected = once(silent, "connection");
    const waiting = rejection(exec(box, ["true"], { forceKillAfterMs: 0 }));
    await connected;
    await box.close();
    expect(await waiting).toMatchObject({ code: "ANYPROC_CLOSED" });
    silent.close();
    await other.stop();
  });

  it("gives up after so many attempts, with the reason of the last", async () => {
    const other = await startSshServer();
    const box = await enter(other, { reconnect: { attempts: 2, delayMs: 1 } });
    const process = await box.spawn(["sleep", "1000"]);
    const lost = rejection(process.wait());
    await other.kill();
    await lost;
    expect(await rejection(exec(box, ["true"]))).toMatchObject({ code: "ANYPROC_HOST_UNREACHABLE" });
    await box.close();
    await other.stop();
  });

  it("is noticed by keep-alive when the server says nothing at all", async () => {
    const other = await startSshServer();
    const box = await enter(other, { keepAliveMs: 1000 });
    const process = await box.spawn(["sleep", "1000"]);
    const lost = rejection(process.wait());
    other.freeze();
    const error = await lost;
    expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    expect(error.message).toContain("Keepalive timeout");
    await box.close();
    await other.stop();
  });

  it("is noticed without keep-alive as soon as somebody waits for the server", async () => {
    const other = await startSshServer();
    const directory = mkdtempSync(join(tmpdir(), "anyproc-lost-"));
    const entering = (): Promise<SshEnvironment> => enter(other, { keepAliveMs: 0, timeoutMs: 5000 });
    const aborted = new AbortController();
    const work: [string, (box: SshEnvironment, sleep: Process) => Promise<unknown>][] = [
      ["killing", (_box, sleep) => sleep.kill().then(() => sleep.wait())],
      ["closing", (_box, sleep) => sleep.close().then(() => sleep.wait())],
      ["signalling", (_box, sleep) => sleep.signal("SIGINT")],
      ["starting", (box) => box.spawn(["true"])],
      ["reading", (box) => box.fs.readFile("/etc/passwd")],
      ["uploading", (box) => box.rootfs(`${other.home}/tree`).upload(directory)],
      ["listening", (box) => box.forwardRemote({ port: 1 })],
    ];
    const cases = await Promise.all(
      work.map(async ([what, action]) => {
        const box = await entering();
        return { what, box, action, sleep: await box.spawn(["sleep", "1000"]) };
      }),
    );
    const limited = await entering();
    const unwanted = await limited.spawn(["sleep", "1000"], { signal: aborted.signal });
    // Its time has not run out before the server is frozen: nothing else comes in between.
    const overdue = await limited.spawn(["sleep", "1000"], { timeoutMs: 1000 });
    other.freeze();
    aborted.abort();
    const errors = await Promise.all([
      ...cases.map(async ({ what, box, action, sleep }) => [what, await rejection(action(box, sleep))] as const),
      ...[overdue, unwanted].map(async (process) => ["waiting", await rejection(process.wait())] as const),
    ]);
    for (const [what, error] of errors) {
      expect([what, error]).toEqual([what, expect.objectContaining({ code: "ANYPROC_CONNECTION_LOST" })]);
      expect(error.message).toContain("it has not answered for 5000 ms");
    }
    await Promise.all([limited, ...cases.map(({ box }) => box)].map((box) => box.close()));
    await other.stop();
    rmSync(directory, { recursive: true });
  });

  it("is not waited for by a command with a limit, which counts as ended even where its start is not answered", async () => {
    const other = await startSshServer();
    const box = await enter(other, { keepAliveMs: 0, timeoutMs: 60_000 });
    other.freeze();
    const options = { timeoutMs: 100, forceKillAfterMs: 100, reject: false };
    expect(await exec(box, ["true"], options)).toMatchObject({ timedOut: true, signal: "SIGTERM", exitCode: 143 });
    await other.kill();
    await box.close();
    await other.stop();
  });

  it("does not keep an environment from being closed, whatever it has open", async () => {
    const other = await startSshServer();
    const jump = [destination(other)];
    const boxes = [
      await enter(other, { keepAliveMs: 0, timeoutMs: 5000 }),
      await enter(other, { keepAliveMs: 0, timeoutMs: 5000, jump }),
    ];
    const running = await Promise.all(boxes.map((box) => box.spawn(["sleep", "1000"])));
    for (const box of boxes) {
      await box.forwardRemote({ port: 1 });
      await box.fs.stat("/");
    }
    const waiting = running.map((process) => rejection(process.wait()));
    other.freeze();
    await Promise.all(boxes.map((box) => box.close()));
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await other.stop();
  });

  it("is not suspected while the server answers, however long a program takes", async () => {
    await within(enter(server, { keepAliveMs: 0, timeoutMs: 3000 }), async (box) => {
      const script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
      const process = box.create(["sh", "-c", script], { forceKillAfterMs: 5000 });
      const lines = process.lines()[Symbol.asyncIterator]();
      await process.start();
      await lines.next();
      await process.close();
      expect(await process.wait()).toMatchObject({ signal: "SIGKILL" });
    });
  });

  it("cannot happen to a closed environment, which says that it is closed", async () => {
    const box = await enter(server);
    const process = await box.spawn(["sleep", "1000"]);
    await box.close();
    expect(await process.wait()).toMatchObject({ signal: "SIGTERM" });
    expect(await rejection(exec(box, ["true"]))).toMatchObject({ code: "ANYPROC_CLOSED" });
  });
});
