import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectDocker, enterContainer, leftContainers, sweepContainers } from "../src/index.ts";
import {
  connectionTo,
  type DockerServer,
  describeOn,
  enter,
  loadImage,
  rejection,
  startDockerServer,
  until,
  within,
} from "./server.ts";

describeOn("docker")("when something breaks", () => {
  let server: DockerServer;
  beforeAll(async () => {
    server = await startDockerServer();
  });
  afterAll(() => server?.stop());

  it("a daemon that is killed is an error of every program that runs, never an exit code", async () => {
    const own = await startDockerServer();
    const docker = await enter(own);
    const keeper = await docker.spawn(["sleep", "infinity"]);
    const inside = await enterContainer(keeper.container().id, { connection: docker.connection });
    const running = [await docker.spawn(["cat"]), await inside.spawn(["cat"]), await docker.spawn(["yes"])];
    const errors = running.map((process) => rejection(process.wait()));
    await own.kill();
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
      expect(error.message).toContain("sweepContainers()");
    }
    expect(running.map(({ exitCode }) => exitCode)).toEqual([undefined, undefined, undefined]);
    expect(await rejection(exec(docker, ["true"]))).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    // Nothing can be removed now, which closing says; the next one that closes is not kept from it.
    expect(await rejection(docker.close())).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    await inside.close();
    await own.stop();
  });

  it("streams that are cut off while the program runs are an error, and its container goes", async () => {
    const proxy = await startProxy(server);
    const docker = await enter(server, { connection: { host: proxy.host } });
    const process = await docker.spawn(["sh", "-c", "echo up; sleep infinity"]);
    await process.lines()[Symbol.asyncIterator]().next();
    const { id } = process.container();
    const lost = rejection(process.wait());
    proxy.cut(/\/attach\?/);
    expect(await lost).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await until(async () => {
      const gone = await docker.connection
        .request(id, (api) => api.getContainer(id).inspect())
        .catch((error: Error & { code?: string }) => error.code);
      return gone === "ANYPROC_CONTAINER_NOT_FOUND";
    });
    await docker.close();
    await proxy.close();
  });

  it("an answer that is cut off is an error too", async () => {
    const proxy = await startProxy(server);
    const docker = await enter(server, { connection: { host: proxy.host } });
    const process = await docker.spawn(["sleep", "infinity"]);
    const lost = rejection(process.wait());
    proxy.cut(/\/wait\?/);
    expect(await lost).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await docker.close();
    await proxy.close();
  });

  it("a container that is removed behind our back was killed", async () => {
    await within(enter(server), async (docker) => {
      const remove = (id: string): Promise<unknown> =>
        docker.connection.request(id, (api) => api.getContainer(id).remove({ force: true }));
      const process = await docker.spawn(["sleep", "infinity"]);
      const inside = await enterContainer(process.container().id, { connection: docker.connection });
      const sibling = await inside.spawn(["sleep", "infinity"]);
      await remove(process.container().id);
      expect(await process.wait()).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
      expect(await sibling.wait()).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
      expect((await rejection(exec(inside, ["true"]))).code).toMatch(/^ANYPROC_CONTAINER_NOT_(FOUND|RUNNING)$/);
      await inside.close();
    });
  });

  it("a container that is paused behind our back says what to do", async () => {
    await within(enter(server), async (docker) => {
      const keeper = await docker.spawn(["sleep", "infinity"]);
      const { id } = keeper.container();
      const inside = await enterContainer(id, { connection: docker.connection });
      await docker.connection.request(id, (api) => api.getContainer(id).pause());
      expect(await rejection(exec(inside, ["true"]))).toMatchObject({
        code: "ANYPROC_CONTAINER_NOT_RUNNING",
        message: expect.stringContaining("docker unpause"),
      });
      await docker.connection.request(id, (api) => api.getContainer(id).unpause());
      expect((await exec(inside, ["echo", "again"])).stdout).toBe("again\n");
      await inside.close();
    });
  });

  it("an image of another architecture says so", async () => {
    await loadImage(server, "foreign:latest", { architecture: "arm64", program: elfFor(183) });
    await within(enter(server, { image: "foreign:latest" }), async (docker) => {
      const error = await rejection(exec(docker, ["/program"]));
      expect(error).toMatchObject({ code: "ANYPROC_START_FAILED" });
      expect(error.message).toMatch(/foreign:latest is for linux\/arm64, .* linux\/amd64/);
    });
    expect(await rejection(enter(server, { platform: "linux/arm64" }))).toMatchObject({
      code: "ANYPROC_IMAGE_NOT_FOUND",
      message: expect.stringContaining("for linux/amd64, not for linux/arm64"),
    });
  });

  it("a client that is killed leaves containers, which the next sweep finds and removes", async () => {
    const fixture = fileURLToPath(new URL("fixtures/killed-client.ts", import.meta.url));
    const conditions = "--conditions=@anyproc/source";
    const child = spawn(
      process.execPath,
      [conditions, "--experimental-strip-types", fixture, server.host, server.image],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const [id] = (await once(child.stdout, "data")).map(String);
    await using connection = await connectDocker(connectionTo(server));
    expect(await leftContainers(connection)).toEqual([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await leftContainers(connection)).toEqual([
      { id: id?.trim(), name: expect.any(String), image: server.image, running: true },
    ]);
    await within(enter(server), async (docker) => {
      const ours = await docker.spawn(["sleep", "infinity"]);
      expect((await sweepContainers(connection)).map((left) => left.id)).toEqual([id?.trim()]);
      expect(await leftContainers(connection)).toEqual([]);
      expect(ours.exitCode).toBeUndefined();
    });
  });
});

/** A server in between, which can cut single connections. */
async function startProxy(
  server: DockerServer,
): Promise<{ host: `unix://${string}`; cut(request: RegExp): void; close(): Promise<void> }> {
  const path = join(server.directory, `proxy-${Math.random()}`);
  const connections: { request: string; sockets: readonly [Socket, Socket] }[] = [];
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const daemon = connect({ path: server.socket, allowHalfOpen: true });
    const connection = { request: "", sockets: [client, daemon] as const };
    connections.push(connection);
    client.once("data", (chunk: Buffer) => {
      connection.request = chunk.toString("latin1").split("\r\n")[0] ?? "";
    });
    client.on("error", () => daemon.destroy()).pipe(daemon);
    daemon.on("error", () => client.destroy()).pipe(client);
  });
  proxy.listen(path);
  await once(proxy, "listening");
  return {
    host: `unix://${path}`,
    cut(request) {
      const found = connections.filter((connection) => request.test(connection.request));
      if (found.length === 0) throw new Error(`there was no ${request}`);
      for (const { sockets } of found) for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const { sockets } of connections) for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

/** The header of a program for another machine, by its number in elf(5): e_machine. */
function elfFor(machine: number): Buffer {
  const header = Buffer.alloc(64 + 56);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(0x400000n, 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  return header;
}
