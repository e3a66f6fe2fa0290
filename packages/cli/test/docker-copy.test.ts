import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "@anyproc/proot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DockerServer, dockerServerMissing, startDockerServer } from "../../../tools/services/docker.ts";
import { parseDockerPlace } from "../src/copy/docker-place.ts";
import { anyproc, type Outcome } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const missing = dockerServerMissing();
if (missing) console.warn(`tests against a real daemon are skipped: ${missing}`);
const { ok: hasProot } = await diagnose();

/** What of a tree has to agree, wherever it was: names, kinds, modes, owners, times, contents, links, attributes. */
function describeTree(directory: string): string {
  const script = `cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l %n\\n' | sed 's/\\.[0-9]* / /' | sort
    find . -type f -exec sha256sum {} + | sort -k 2
    find . -type f | sort | xargs -d '\\n' getfattr -h -d -m -`;
  return execFileSync("sh", ["-c", script, "sh", directory], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
}

describe.skipIf(missing)("anyproc copy and a Docker daemon", () => {
  let server: DockerServer;
  beforeAll(async () => {
    server = await startDockerServer();
  });
  afterAll(() => server.stop());

  const copy = (...args: string[]): Promise<Outcome> => anyproc(["copy", "--docker-host", server.host, ...args]);
  const docker = (...args: string[]): string =>
    execFileSync("docker", ["-H", server.host, ...args], { encoding: "utf8" }).trim();

  /** A root filesystem with all that copies tend to lose. */
  function makeTree(): string {
    const directory = join(temporaryDirectory(), "tree");
    mkdirSync(join(directory, "bin"), { recursive: true });
    const script = `set -e; cd "$1"; cp /bin/busybox bin/busybox; ln -s busybox bin/sh; ln bin/busybox bin/cat
      mkdir -m 711 home etc; echo secret >etc/shadow; chmod 0 etc/shadow; chown 0:42 etc/shadow
      echo x >home/file; chown -R 1000:1000 home; ln -s /nowhere dangling; mknod -m 666 null c 1 3; mkfifo pipe
      setfattr -n user.note -v kept home/file; setcap cap_net_raw+ep bin/busybox; chmod 4755 bin/busybox
      touch -d '2001-02-03 04:05:06 UTC' -h dangling etc etc/shadow home home/file null pipe bin bin/* .`;
    execFileSync("sh", ["-c", script, "sh", directory]);
    return directory;
  }

  test("one rootfs is the same here, in the daemon, as an archive and in the engine", async () => {
    const [tree, back, files] = [
      makeTree(),
      join(temporaryDirectory(), "back"),
      join(temporaryDirectory(), "files.tar"),
    ];
    const sent = await copy(`dir:${tree}`, "docker:tree:1");
    expect(sent).toMatchObject({ exitCode: 0, stdout: "" });
    expect(sent.stderr).toMatch(/^anyproc: \d+ entries, \d+ bytes\n$/);
    expect(await copy("docker:tree:1", `dir:${back}`)).toMatchObject({ exitCode: 0 });
    expect(describeTree(back)).toBe(describeTree(tree));

    const unpacked = join(temporaryDirectory(), "unpacked");
    mkdirSync(unpacked);
    expect(await copy("docker:tree:1", `tar:${files}`)).toMatchObject({ exitCode: 0 });
    execFileSync("tar", ["--xattrs", "--xattrs-include=*", "-xpf", files, "-C", unpacked]);
    expect(describeTree(unpacked)).toBe(describeTree(tree));

    const command = ["sh", "-c", "cat /etc/shadow /home/file"];
    const env = { DOCKER_HOST: server.host };
    const inDocker = await anyproc(
      ["run", "--on", "docker", "--image", "tree:1", "--network", "none", "--", ...command],
      { env },
    );
    expect(inDocker).toEqual({ exitCode: 0, stdout: "secret\nx\n", stderr: "" });
    if (!hasProot) return;
    expect(await anyproc(["run", "--rootfs", back, "--", ...command])).toEqual(inDocker);
  });

  test("how an image wants to be run is kept beside the directory, and restored", async () => {
    const directory = join(temporaryDirectory(), "configured");
    docker(
      "import",
      "-c",
      'ENV A="b c"',
      "-c",
      'CMD ["true"]',
      "-c",
      "USER 7",
      "-c",
      "LABEL l=v",
      "-c",
      "WORKDIR /tmp",
      emptyTar(),
      "configured:1",
    );
    expect(await copy("docker:configured:1", `dir:${directory}`)).toMatchObject({ exitCode: 0 });
    expect(await copy(`dir:${directory}`, "docker:configured:2")).toMatchObject({ exitCode: 0 });
    const format =
      "{{.Config.Env}} {{.Config.Cmd}} {{.Config.User}} {{.Config.Labels}} {{.Config.WorkingDir}} {{.Architecture}}";
    expect(docker("inspect", "-f", format, "configured:2")).toBe(docker("inspect", "-f", format, "configured:1"));
  });

  function emptyTar(): string {
    const file = join(temporaryDirectory(), "empty.tar");
    execFileSync("tar", ["-cf", file, "-T", "/dev/null"]);
    return file;
  }

  test("files, directories and archives go into a container and out of it", async () => {
    const container = docker("create", server.image, "true");
    const directory = temporaryDirectory();
    const local = join(directory, "local");
    mkdirSync(join(local, "sub"), { recursive: true });
    writeFileSync(join(local, "sub/file"), "in and out", { mode: 0o640 });
    expect(await copy(local, `docker:${container}:/srv/site`)).toMatchObject({ exitCode: 0 });
    const out = join(directory, "out");
    expect(await copy(`docker:${container}:/srv/site`, out)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(out, "sub/file"), "utf8")).toBe("in and out");
    expect(statSync(join(out, "sub/file")).mode & 0o777).toBe(0o640);

    expect(await copy(join(local, "sub/file"), `docker:${container}:/etc`)).toMatchObject({ exitCode: 0 });
    const single = join(directory, "single");
    expect(await copy(`docker:${container}:/etc/file`, single)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(single, "utf8")).toBe("in and out");

    const archive = join(directory, "site.tar");
    expect(await copy(`docker:${container}:/srv/site`, `tar:${archive}`)).toMatchObject({ exitCode: 0 });
    expect(await copy(`tar:${archive}`, `docker:${container}:/srv/again`)).toMatchObject({ exitCode: 0 });
    expect(docker("cp", `${container}:/srv/again/sub/file`, join(directory, "again"))).toBe("");
    expect(readFileSync(join(directory, "again"), "utf8")).toBe("in and out");
    expect(execFileSync("tar", ["-tf", archive], { encoding: "utf8" }).trim().split("\n").sort()).toEqual([
      "./",
      "./sub/",
      "./sub/file",
    ]);
  });

  test("all of a container goes by its name, and what is docker's own is told", async () => {
    docker("create", "--name", "whole", server.image, "true");
    const file = join(temporaryDirectory(), "whole.tar");
    const { exitCode, stderr } = await copy("docker:whole", `tar:${file}`);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/not kept: xattr: /);
    expect(stderr).toMatch(/not kept: content of \.dockerenv: /);
    const { stdout } = await copy("docker:whole:/", `tar:${file}`, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      losses: expect.arrayContaining([expect.objectContaining({ what: "xattr" })]),
    });
  });

  test("an image is saved as docker saves it", async () => {
    const file = join(temporaryDirectory(), "saved.tar");
    expect(await copy(`docker:${server.image}`, `docker-archive:${file}`)).toMatchObject({ exitCode: 0 });
    expect(docker("load", "-i", file)).toContain(server.image);
  });

  test("what is not there, and what does not go together, is one sentence", async () => {
    const target = join(temporaryDirectory(), "target");
    const missingImage = await copy("docker:not:there", `dir:${target}`);
    expect(missingImage.exitCode).toBe(125);
    expect(missingImage.stderr).toMatch(/^anyproc: not:there: .*: check its name, or pull it\n$/);
    expect(existsSync(target)).toBe(false);
    expect((await copy(join(target, "no such"), "docker:x:/y")).stderr).toMatch(/no such container/);
    expect((await copy(`docker:${server.image}`, "docker:other:1")).stderr).toMatch(/is not supported/);
    const nobody = await anyproc(["copy", "--docker-host", "unix:///nowhere/socket", "docker:a", `dir:${target}`]);
    expect(nobody.stderr).toMatch(/there is no such socket: start the daemon/);
  });
});

describe("places of a copy with docker", () => {
  test.each([
    ["docker:debian:12", { kind: "image", name: "debian:12" }],
    ["docker:host:5000/a/b:1", { kind: "image", name: "host:5000/a/b:1" }],
    ["docker:web:/", { kind: "container", name: "web", path: "/" }],
    ["docker:web:/a:/b c", { kind: "container", name: "web", path: "/a:/b c" }],
    ["dir:./a", { kind: "dir", path: "./a" }],
    ["/a/b", { kind: "dir", path: "/a/b" }],
    ["tar:a.tar", { kind: "tar", path: "a.tar" }],
    ["docker-archive:a", { kind: "docker-archive", path: "a" }],
  ])("%s", (text, place) => expect(parseDockerPlace(text)).toEqual(place));

  test.each(["docker:", "docker://debian", "registry:debian", "oci:dir"])("%s is none", (text) => {
    expect(() => parseDockerPlace(text)).toThrow(/^copy /);
  });
});
