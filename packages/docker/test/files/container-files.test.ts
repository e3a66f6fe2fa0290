import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { FileSystem } from "@anyproc/core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { containerFiles } from "../../src/files/container-files.ts";
import { runTool } from "../../src/files/run-tool.ts";
import { connectDocker, type DockerConnection } from "../../src/index.ts";
import { makeContainer, type TestContainer } from "../container.ts";
import { connectionTo, type DockerServer, describeOn, startDockerServer } from "../server.ts";

describeOn("docker")("the files of a container", () => {
  let server: DockerServer;
  let connection: DockerConnection;
  let running: TestContainer;
  let fs: FileSystem;

  beforeAll(async () => {
    server = await startDockerServer();
    connection = await connectDocker(connectionTo(server));
    running = await makeContainer(connection, server.image);
    fs = containerFiles({ connection, container: running.id });
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  const code = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.then(
      () => "no error",
      (error: { code?: string }) => error.code,
    );

  test("are written and read, whatever they hold", async () => {
    const bytes = randomBytes(300_000);
    await fs.writeFile("/tmp/bytes", bytes);
    expect(await fs.readFile("/tmp/bytes")).toEqual(bytes);
    await fs.writeFile("/tmp/bytes", "short");
    expect(await buffer(fs.createReadStream("/tmp/bytes"))).toEqual(Buffer.from("short"));
  });

  test("are written as streams, and nothing stays on this machine", async () => {
    // What others leave in the usual directory, or are about to remove, is none of this test's business.
    const directory = await mkdtemp(join(server.directory, "spools-"));
    vi.stubEnv("TMPDIR", directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    const chunk = randomBytes(64 * 1024);
    const sink = fs.createWriteStream("/tmp/stream", { mode: 0o640 });
    for (let count = 0; count < 40; count += 1) if (!sink.write(chunk)) await once(sink, "drain");
    sink.end();
    await once(sink, "close");
    expect((await fs.readFile("/tmp/stream")).length).toBe(40 * chunk.length);
    expect((await fs.stat("/tmp/stream")).mode).toBe(0o100640);
    expect(await readdir(directory)).toEqual([]);
  });

  test("keep owner and mode when their content is replaced, through symlinks too", async () => {
    await fs.writeFile("/home/kept", "old", { mode: 0o604 });
    await runTool({ connection, container: running.id }, ["chown", "1000:1000", "/home/kept"], "/home/kept");
    await fs.symlink("kept", "/home/link");
    await fs.symlink("/home/link", "/tmp/link to link");
    await fs.writeFile("/tmp/link to link", "new", { mode: 0o777 });
    expect((await fs.readFile("/home/kept")).toString()).toBe("new");
    expect(await fs.stat("/tmp/link to link")).toMatchObject({ mode: 0o100604, uid: 1000, gid: 1000, size: 3 });
    expect((await fs.lstat("/tmp/link to link")).isSymbolicLink()).toBe(true);
    expect(await fs.readlink("/tmp/link to link")).toBe("/home/link");
  });

  test("are made through a dangling symlink where it leads, inside", async () => {
    await fs.mkdir("/srv/data", { recursive: true });
    await fs.symlink("../../../../srv/data/made", "/tmp/dangling");
    await fs.writeFile("/tmp/dangling", "x");
    expect((await fs.readFile("/srv/data/made")).toString()).toBe("x");
  });

  test("are listed one level deep, by names that are anything", async () => {
    const names = [".hidden", "größe 🙂", 'it\'s a "name"', "new\nline", `${"long".repeat(60)}`];
    await fs.mkdir("/tmp/listed/below", { recursive: true });
    for (const name of names) await fs.writeFile(`/tmp/listed/${name}`, "");
    await fs.writeFile("/tmp/listed/below/deeper", "");
    expect((await fs.readdir("/tmp/listed")).sort()).toEqual([...names, "below"].sort());
    await fs.symlink("listed", "/tmp/to-listed");
    expect(await fs.readdir("/tmp/to-listed/")).toHaveLength(6);
    expect(await fs.readdir("/")).toEqual(expect.arrayContaining(["bin", "etc", "tmp"]));
  });

  test("are renamed and removed", async () => {
    await fs.mkdir("/tmp/tree/a", { recursive: true });
    await fs.writeFile("/tmp/tree/a/-file", "x");
    await fs.rename("/tmp/tree/a", "/tmp/tree/b");
    expect(await fs.readdir("/tmp/tree")).toEqual(["b"]);
    await fs.symlink("/tmp/tree", "/tmp/tree/b/up");
    await fs.rm("/tmp/tree/b", { recursive: true });
    expect(await fs.readdir("/tmp/tree")).toEqual([]);
    await fs.rm("/tmp/tree/missing", { force: true });
  });

  test("fail with the codes of node:fs", async () => {
    await fs.writeFile("/tmp/file", "");
    await fs.symlink("loop", "/tmp/loop");
    expect(await code(fs.readFile("/tmp/missing"))).toBe("ENOENT");
    expect(await code(fs.writeFile("/tmp/missing/file", ""))).toBe("ENOENT");
    expect(await code(fs.readFile("/tmp/file/below"))).toBe("ENOTDIR");
    expect(await code(fs.readFile("/tmp"))).toBe("EISDIR");
    expect(await code(fs.writeFile("/tmp", "x"))).toBe("EISDIR");
    expect(await code(fs.readdir("/tmp/file"))).toBe("ENOTDIR");
    expect(await code(fs.readlink("/tmp/file"))).toBe("EINVAL");
    expect(await code(fs.mkdir("/tmp"))).toBe("EEXIST");
    expect(await code(fs.symlink("x", "/tmp/file"))).toBe("EEXIST");
    expect(await code(fs.symlink("x", "/tmp/missing/link"))).toBe("ENOENT");
    expect(await code(fs.rm("/tmp"))).toBe("EISDIR");
    expect(await code(fs.rename("/tmp/missing", "/tmp/x"))).toBe("ENOENT");
    expect(await code(fs.rename("/tmp/file", "/etc"))).toBe("EISDIR");
    expect(await code(fs.stat("relative"))).toBe("EINVAL");
    expect(await code(fs.readFile(`/tmp/${"x".repeat(300)}`))).toBe("ENAMETOOLONG");
    expect(await code(fs.readFile("/tmp/loop"))).toBe("ELOOP");
  });

  test("are there while the container does not run; what needs a program says so", async () => {
    await using stopped = await makeContainer(connection, server.image, { isRunning: false });
    const files = containerFiles({ connection, container: stopped.id });
    await files.mkdir("/srv/a/b", { recursive: true, mode: 0o711 });
    await files.writeFile("/srv/a/b/file", "content");
    expect((await files.readFile("/srv/a/b/file")).toString()).toBe("content");
    expect((await files.stat("/srv/a/b")).mode).toBe(0o40711);
    await expect(files.rm("/srv/a/b/file")).rejects.toMatchObject({
      code: "ANYPROC_CONTAINER_NOT_RUNNING",
      message: expect.stringContaining("start it"),
    });
  });

  test("are an error that names the container when it was removed meanwhile", async () => {
    const gone = await makeContainer(connection, server.image, { isRunning: false });
    const files = containerFiles({ connection, container: gone.id });
    await gone[Symbol.asyncDispose]();
    for (const attempt of [
      () => files.readFile("/etc/passwd"),
      () => files.writeFile("/x", ""),
      () => files.readdir("/"),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: "ANYPROC_CONTAINER_NOT_FOUND",
        message: expect.stringContaining(gone.id),
      });
    }
  });
});

describeOn("docker")("a daemon that is killed", () => {
  test("while a file is read is a lost connection, not a short file", async () => {
    await using server = await startDockerServer();
    await using connection = await connectDocker(connectionTo(server));
    await using box = await makeContainer(connection, server.image);
    const files = containerFiles({ connection, container: box.id });
    const place = { connection, container: box.id };
    await runTool(place, ["dd", "if=/dev/zero", "of=/large", "bs=1M", "count=200"], "/large");
    const stream = files.createReadStream("/large");
    await once(stream, "readable");
    // It fails while nobody reads, before or after the daemon's end is known here.
    stream.on("error", () => {});
    await server.kill();
    await expect(buffer(stream)).rejects.toMatchObject({
      code: "ANYPROC_CONNECTION_LOST",
      message: expect.stringContaining(box.id),
    });
  });
});
