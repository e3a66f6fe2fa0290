import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectDocker, type DockerConnection, openContainerRootfs } from "../../src/index.ts";
import { makeContainer, type TestContainer } from "../container.ts";
import { connectionTo, type DockerServer, describeOn, startDockerServer } from "../server.ts";
import { archive, type EntryInput, entriesOf } from "./archive.ts";

describeOn("docker")("a container as a rootfs", () => {
  let server: DockerServer;
  let connection: DockerConnection;
  let container: TestContainer;

  beforeAll(async () => {
    server = await startDockerServer();
    connection = await connectDocker(connectionTo(server));
    container = await makeContainer(connection, server.image);
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  test("is exported with what is not in it, or not the image's, reported", async () => {
    const rootfs = await openContainerRootfs(container.id, { connection });
    const { tar, report } = rootfs.exportTar();
    const entries = await entriesOf(tar);
    expect(entries.map(({ path }) => path)).toEqual(expect.arrayContaining(["bin/busybox", "etc/passwd"]));
    const { losses, entries: count, bytes } = await report;
    expect(count).toBe(entries.length);
    expect(bytes).toBe(entries.reduce((sum, { size }) => sum + size, 0));
    expect(losses.map(({ path, what }) => `${what} ${path}`)).toEqual(
      expect.arrayContaining(["xattr ", "content .dockerenv", "content etc/hosts", "content etc/mtab"]),
    );
  });

  test("takes an archive in, over what is there, and gives a directory of it back", async () => {
    const site = await openContainerRootfs(container.id, { connection, path: "/srv/new/site/" });
    expect(site.name).toBe(`docker:${container.id}:/srv/new/site`);
    const tree = archive([
      { path: "./", mode: 0o711 },
      { path: "./index", content: "hello", uid: 1000, gid: 1000, mode: 0o604 },
      { path: "./link", type: "symlink", linkPath: "index" },
    ]);
    const report = await site.importTar(Readable.from([tree]));
    expect(report).toEqual({ entries: 3, bytes: 5, losses: [], lossCount: 0 });
    expect(await site.fs.stat("/srv/new/site/index")).toMatchObject({ mode: 0o100604, uid: 1000, gid: 1000 });
    const again = archive([{ path: "index", content: "replaced" }]);
    await site.importTar(Readable.from([again]));
    const found = await entriesOf(site.exportTar().tar);
    expect(found.map(({ path, type, content }) => [path, type, content])).toEqual([
      ["./", "directory", ""],
      ["./index", "file", "replaced"],
      ["./link", "symlink", ""],
    ]);
    const { stdout } = await exec(await site.environment(), ["sh", "-c", "pwd; cat index"]);
    expect(stdout).toBe("/srv/new/site\nreplaced");
  });

  test("is copied to another container while neither runs", async () => {
    await using from = await makeContainer(connection, server.image, { isRunning: false });
    await using to = await makeContainer(connection, server.image, { isRunning: false });
    const source = await openContainerRootfs(from.id, { connection, path: "/srv" });
    const target = await openContainerRootfs(to.id, { connection, path: "/srv" });
    await source.importTar(Readable.from([archive([{ path: "deep/" }, { path: "deep/file", content: "copied" }])]));
    await source.copyTo(target);
    expect(await text(target.fs.createReadStream("/srv/deep/file"))).toBe("copied");
  });

  test("refuses hostile archives, and what is below stays as it is", async () => {
    const site = await openContainerRootfs(container.id, { connection, path: "/srv/jail" });
    await site.fs.mkdir("/srv/jail");
    await site.fs.symlink("/", "/srv/jail/there before");
    const link: EntryInput = { path: "./out", type: "symlink", linkPath: "/" };
    const attempts: readonly (readonly EntryInput[])[] = [
      [{ path: "../escaped", content: "x" }],
      [link, { path: "out/escaped", content: "x" }],
      [link, { path: "hard", type: "hardlink", linkPath: "out/etc/passwd" }],
      [{ path: "there before/escaped", content: "x" }],
      [{ path: "hard", type: "hardlink", linkPath: "../../etc/passwd" }],
    ];
    for (const entries of attempts) {
      await expect(site.importTar(Readable.from([archive(entries)]))).rejects.toMatchObject({
        code: "ANYPROC_UNSAFE_PATH",
      });
    }
    expect(await site.fs.readdir("/srv")).not.toContain("escaped");
    expect(await site.fs.readdir("/")).not.toContain("escaped");
  });

  test("is an error that names it when it was removed behind our back", async () => {
    const gone = await makeContainer(connection, server.image, { isRunning: false });
    const rootfs = await openContainerRootfs(gone.id, { connection });
    await gone[Symbol.asyncDispose]();
    const missing = { code: "ANYPROC_CONTAINER_NOT_FOUND", message: expect.stringContaining(gone.id) };
    await expect(rootfs.exportTar().report).rejects.toMatchObject(missing);
    await expect(rootfs.importTar(Readable.from([archive([{ path: "a" }])]))).rejects.toMatchObject(missing);
    await expect(openContainerRootfs(gone.id, { connection })).rejects.toMatchObject(missing);
  });

  test("needs an absolute path", () =>
    expect(openContainerRootfs(container.id, { connection, path: "srv" })).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
    }));
});
