import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { exec } from "@anyproc/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectDocker, type DockerConnection, type ImageSettings, openImageRootfs } from "../../src/index.ts";
import { connectionTo, type DockerServer, describeOn, startDockerServer } from "../server.ts";
import { archive, type EntryInput, entriesOf } from "./archive.ts";

const run = promisify(execFile);

describeOn("docker")("an image as a rootfs", () => {
  let server: DockerServer;
  let connection: DockerConnection;
  let directory: string;

  beforeAll(async () => {
    server = await startDockerServer();
    connection = await connectDocker(connectionTo(server));
    directory = await mkdtemp(join(tmpdir(), "anyproc-test-"));
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Builds an image of several layers, each what docker(1) makes of a Dockerfile's line. */
  async function build(name: string, lines: readonly string[]): Promise<void> {
    const context = await mkdtemp(join(directory, "context-"));
    await writeFile(join(context, "Dockerfile"), [`FROM ${server.image}`, ...lines].join("\n"));
    const env = { ...process.env, DOCKER_HOST: server.host, DOCKER_BUILDKIT: "0" };
    await run("docker", ["build", "--network", "none", "-q", "-t", name, context], { env });
  }

  async function exported(name: string) {
    const image = await openImageRootfs(name, { connection });
    const { tar, report } = image.exportTar();
    const entries = await entriesOf(tar);
    return { entries, report: await report };
  }

  test("comes back as it was imported: every attribute, device and link", async () => {
    const tree: EntryInput[] = [
      { path: "./", mode: 0o750 },
      { path: "./closed", content: "secret", mode: 0, uid: 1000, gid: 1001 },
      { path: "./dev/", mtime: { seconds: 1_500_000_000, nanoseconds: 123_456_789 } },
      { path: "./dev/null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666 },
      {
        path: "./ping",
        content: "x",
        mode: 0o4755,
        xattrs: { "security.capability": "\x01\0\0\x02\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
      },
      { path: "./noted", content: "y", xattrs: { "user.note": "kept", "user.binary": "\x01\0=\n" } },
      { path: "./pipe", type: "fifo" },
      { path: `./${"long/".repeat(30)}name`, content: "z" },
      { path: "./dangling", type: "symlink", linkPath: "/nowhere" },
      { path: "./\xff not utf-8 \xe4", content: "bytes" },
      { path: "./large", content: Buffer.alloc(3_000_000, "0123456789") },
      { path: "./with another name", type: "hardlink", linkPath: "./ping" },
    ];
    const image = await openImageRootfs("round:trip", { connection });
    const imported = await image.importTar(Readable.from([archive(tree)]));
    expect(imported).toMatchObject({ entries: tree.length, bytes: 3_000_014, losses: [], lossCount: 0 });
    const { entries, report } = await exported("round:trip");
    const expected = await entriesOf(Readable.from([archive(tree)]));
    expect(new Map(entries.map((entry) => [entry.path, entry]))).toEqual(
      new Map(expected.map((entry) => [entry.path, entry])),
    );
    expect(report).toEqual({ entries: tree.length, bytes: 3_000_014, losses: [], lossCount: 0 });
  });

  test("is what its layers make of it: what they hide, replace and link", async () => {
    await build("layered:1", [
      "RUN mkdir -p /d/sub /e /f && echo one >/d/one && echo two >/d/two && echo s >/d/sub/s && echo e >/e/e && ln -s d /link && echo x >/x && ln /x /y && ln /x /f/z",
      "RUN rm /d/two && rm -r /d/sub && echo three >/d/three && chmod 700 /d && rm -r /e && mkdir /e && echo new >/e/new",
      "RUN rm /x && echo other >/x && rm /link && mkdir /link && echo in >/link/in && rm -r /f && echo file >/f",
    ]);
    const { entries, report } = await exported("layered:1");
    const paths = new Map(entries.map((entry) => [entry.path.replace(/\/$/, ""), entry]));
    const listed = [...paths.keys()].filter((path) => /^(d|e|f|link|x|y)(\/|$)/.test(path)).sort();
    expect(listed).toEqual(["d", "d/one", "d/three", "e", "e/new", "f", "link", "link/in", "x", "y"]);
    expect(paths.get("d")?.mode).toBe(0o700);
    expect([paths.get("x")?.content, paths.get("y")?.content, paths.get("f")?.content]).toEqual([
      "other\n",
      "x\n",
      "file\n",
    ]);
    expect([...paths.keys()].filter((path) => path.includes(".wh.") || path === ".dockerenv")).toEqual([]);
    expect(report.losses).toEqual([]);

    // The daemon itself says the same.
    const env = { ...process.env, DOCKER_HOST: server.host };
    const { stdout: id } = await run("docker", ["create", "layered:1", "/none"], { env });
    const theirs = execFileSync("sh", ["-c", `docker export ${id.trim()} | tar -tf - | sort`], {
      env,
      encoding: "utf8",
    });
    const docker = /^(\.dockerenv|dev\/(console|pts\/|shm\/)|etc\/(hostname|hosts|mtab|resolv\.conf))$/;
    expect(
      entries
        .map(({ path }) => path.replace(/^\.\//, ""))
        .filter(Boolean)
        .sort(),
    ).toEqual(
      theirs
        .trim()
        .split("\n")
        .filter((path) => !docker.test(path))
        .sort(),
    );
  });

  test("keeps how it wants to be run", async () => {
    const config: ImageSettings = {
      env: ["PATH=/bin:/usr/bin", "ODD=a \"b\" $HOME ${X} \\ `c` 'd' #", "EMPTY=", "UNICODE=größe 🙂", "EQUALS=a=b=c"],
      entrypoint: ["/bin/sh", "-c", 'echo "$ODD"; exec "$@"\n', "$0"],
      cmd: ["printf", "%s", "a b"],
      user: "1000:1000",
      workdir: "/home/with space",
      ports: ["53/udp", "80/tcp"],
      volumes: ["/var/lib/a b", "/x"],
      labels: { "org.example.key": "v", "with space": 'q"uote $x' },
    };
    const image = await openImageRootfs("config:1", { connection });
    const source = await openImageRootfs(server.image, { connection });
    const report = await image.importTar(source.exportTar().tar, { config });
    expect(report.losses).toEqual([]);
    expect(await image.config()).toEqual(config);
    const { stdout: whole } = await exec(await image.environment(), ["sh", "-c", "echo $ODD; pwd; id -u"]);
    expect(whole).toBe("a \"b\" $HOME ${X} \\ `c` 'd' #\n/home/with space\n1000\n");
  });

  test("keeps variables and labels whatever they hold, and names those that an import cannot take", async () => {
    const value = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll("\0", ""));
    const image = await openImageRootfs("config:any", { connection });
    const empty = archive([{ path: "./" }]);
    await fc.assert(
      fc.asyncProperty(value, value, async (variable, label) => {
        const config = { env: [`NAME=${variable}`], labels: { name: label } };
        const { lossCount } = await image.importTar(Readable.from([empty]), { config });
        const hasBreak = /[\n\r]/;
        expect(lossCount).toBe([variable, label].filter((text) => hasBreak.test(text)).length);
        const found = await image.config();
        if (!hasBreak.test(variable)) expect(found.env).toEqual(config.env);
        if (!hasBreak.test(label)) expect(found.labels).toEqual(config.labels);
      }),
      { numRuns: 25 },
    );
    const report = await image.importTar(Readable.from([empty]), {
      config: { env: ["A=1\n2"], labels: { b: "3\n4" }, stopSignal: "SIGINT" },
    });
    expect(report.losses.map(({ what, reason }) => [what, reason.split(" was")[0]])).toEqual([
      ["config", "the variable A"],
      ["config", "the label b"],
      ["config", "the stop signal SIGINT"],
    ]);
  });

  test("is saved as docker(1) saves it", async () => {
    const image = await openImageRootfs(server.image, { connection });
    const saved = await entriesOf(await image.save());
    expect(saved.map(({ path }) => path)).toContain("manifest.json");
    const missing = await openImageRootfs("not:there", { connection });
    for (const attempt of [() => missing.save(), () => missing.config(), () => missing.exportTar().report]) {
      await expect(attempt()).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
    }
  });

  test("refuses what is no archive, what climbs, and what breaks off, and leaves no image", async () => {
    const image = await openImageRootfs("refused:1", { connection });
    const whole = archive([{ path: "a", content: "x".repeat(100_000) }]);
    const failure = new Error("the source broke off");
    const attempts: readonly (readonly [Readable, object])[] = [
      [Readable.from([Buffer.alloc(2000, "no tar")]), { code: "ANYPROC_ARCHIVE_INVALID" }],
      [Readable.from([whole.subarray(0, 50_000)]), { code: "ANYPROC_ARCHIVE_INVALID" }],
      [Readable.from([archive([{ path: "../escaped", content: "x" }])]), { code: "ANYPROC_UNSAFE_PATH" }],
      [
        Readable.from([archive([{ path: "l", type: "hardlink", linkPath: "../../etc/shadow" }])]),
        { code: "ANYPROC_UNSAFE_PATH" },
      ],
      [
        Readable.from(
          (async function* () {
            yield whole.subarray(0, 10_000);
            throw failure;
          })(),
        ),
        failure,
      ],
    ];
    for (const [tar, error] of attempts) {
      await expect(image.importTar(tar)).rejects.toMatchObject(error);
      await expect(image.config()).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
    }
    const reason = new Error("changed my mind");
    await expect(image.importTar(Readable.from([whole]), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(
      (await openImageRootfs("sha256:".padEnd(71, "a"), { connection })).importTar(Readable.from([whole])),
    ).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
    });
  });

  test("keeps links inside as they are: the daemon unpacks in a root of its own", async () => {
    const image = await openImageRootfs("hostile:1", { connection });
    const canary = join(directory, "canary");
    await writeFile(canary, "alive");
    await image
      .importTar(
        Readable.from([
          archive([
            { path: "out", type: "symlink", linkPath: directory },
            { path: "out/canary", content: "overwritten" },
          ]),
        ]),
      )
      .catch(() => {});
    expect((await stat(canary)).size).toBe(5);
  });

  test("stops when it is aborted, and says when nobody reads on", async () => {
    const image = await openImageRootfs(server.image, { connection });
    const reason = new Error("changed my mind");
    const controller = new AbortController();
    const aborted = image.exportTar({ signal: controller.signal });
    controller.abort(reason);
    await expect(aborted.report).rejects.toBe(reason);
    await expect(buffer(aborted.tar)).rejects.toBe(reason);
    const abandoned = image.exportTar();
    abandoned.tar.destroy();
    await expect(abandoned.report).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  });
});

describeOn("docker")("a daemon whose disk is full", () => {
  test("says so, with the remedy, and has no half of an image", async () => {
    await using small = await startDockerServer({ size: "40m" });
    await using connection = await connectDocker({ host: small.host });
    const image = await openImageRootfs("large:1", { connection });
    const content = Buffer.alloc(60_000_000, "x");
    await expect(image.importTar(Readable.from([archive([{ path: "large", content }])]))).rejects.toMatchObject({
      code: "ANYPROC_NO_SPACE",
      message: expect.stringMatching(/^docker:large:1|^large:1: .*make room/),
    });
    await expect(image.config()).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
  });
});
