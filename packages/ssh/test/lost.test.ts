import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
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
    const reconnect = { attempts: 50, delayMs: 20, maxDelayMs: 50 };
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
    const box = await enter(other, { keepAliveMs: 50 });
    const process = await box.spawn(["sleep", "1000"]);
    const lost = rejection(process.wait());
    other.freeze();
    const error = await lost;
    expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    expect(error.message).toContain("Keepalive timeout");
    await box.close();
    await other.stop();
  });

  it("does not keep an environment from being closed", async () => {
    const other = await startSshServer();
    const boxes = [
      await enter(other, { keepAliveMs: 0 }),
      await enter(other, { keepAliveMs: 0, jump: [destination(other)] }),
    ];
    other.freeze();
    await Promise.all(boxes.map((box) => box.close()));
    await other.stop();
  });

  it("cannot happen to a closed environment, which says that it is closed", async () => {
    const box = await enter(server);
    const process = await box.spawn(["sleep", "1000"]);
    await box.close();
    expect(await process.wait()).toMatchObject({ signal: "SIGTERM" });
    expect(await rejection(exec(box, ["true"]))).toMatchObject({ code: "ANYPROC_CLOSED" });
  });
});
