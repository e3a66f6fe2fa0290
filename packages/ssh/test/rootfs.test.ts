import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exec } from "@anyproc/core";
import { extract, pack } from "tar-stream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { SshEnvironment, SyncProgress } from "../src/index.ts";
import {
  describeOnServer,
  enter,
  rejection,
  type SshServer,
  sshServerKinds,
  startSshServer,
  within,
  withServer,
} from "./server.ts";

let server: SshServer;
let box: SshEnvironment;
let directory: string;
let remote: string;
let round = 0;
beforeAll(async () => {
  server = await startSshServer();
  box = await enter(server);
});
afterAll(async () => {
  await box.close();
  await server.stop();
});
beforeEach(() => {
  round += 1;
  directory = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-"));
  remote = `${server.home}/tree-${round}`;
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const local = (name: string): string => join(directory, name);
const transports = ["tar", "sftp"] as const;

/** A tree with one of everything that an ordinary user can make. */
function makeTree(root: string): void {
  fs.mkdirSync(join(root, "sub/deep"), { recursive: true });
  fs.mkdirSync(join(root, "empty"));
  fs.writeFileSync(join(root, "hello.txt"), "hello\n");
  fs.writeFileSync(join(root, "sub/data"), Buffer.from(Array.from({ length: 300_000 }, (_, index) => index * 31)));
  fs.writeFileSync(join(root, "sub/deep/script.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
  fs.writeFileSync(join(root, "sub/nothing"), "");
  fs.writeFileSync(join(root, `sub/${"long-".repeat(30)}name`), "long name");
  fs.writeFileSync(join(root, "-odd 'name'\n$ü"), "odd");
  fs.chmodSync(join(root, "hello.txt"), 0o640);
  fs.symlinkSync("hello.txt", join(root, "link"));
  fs.symlinkSync(`/nowhere/${"far/".repeat(40)}away`, join(root, "sub/dangling"));
  fs.linkSync(join(root, "hello.txt"), join(root, "sub/second-name"));
  fs.mkdirSync(join(root, "read-only"));
  fs.writeFileSync(join(root, "read-only/inside"), "inside");
  for (const [index, name] of ["hello.txt", "sub/data", "sub/deep", "sub", "empty"].entries()) {
    fs.utimesSync(join(root, name), 1_000_000_000 + index, 1_000_000_000 + index);
  }
  fs.chmodSync(join(root, "read-only"), 0o555);
}

/** Everything about a tree that a copy has to keep, as text that shows differences well. */
function describeTree(root: string): string {
  const format = "%P|%y|%m|%s|%Ts|%n|%l\\n";
  const listed = execFileSync("find", [root, "-mindepth", "1", "-type", "d", "-printf", "%P|%y|%m|%Ts\\n"], {
    encoding: "utf8",
  });
  const others = execFileSync(
    "find",
    [root, "-mindepth", "1", "-not", "-type", "d", "-not", "-type", "l", "-printf", format],
    {
      encoding: "utf8",
    },
  );
  const links = execFileSync("find", [root, "-type", "l", "-printf", "%P|%l\\n"], { encoding: "utf8" });
  const sums = execFileSync("sh", ["-c", 'cd "$1" && find . -type f -exec sha256sum {} +', "sh", root], {
    encoding: "utf8",
  });
  return [listed, others, links, sums].map((text) => text.split("\n").sort().join("\n")).join("\n");
}

describeOnServer.each(transports)("by %s", (transport) => {
  it("keeps everything, there and back", async () => {
    makeTree(local("."));
    const rootfs = box.rootfs(remote);
    const up = await rootfs.upload(directory, { transport });
    expect(up).toMatchObject({ transport, sent: 7, unchanged: 0, resumed: 0, removed: 0 });
    expect(up.losses.every(({ what }) => what === "owner")).toBe(true);
    expect(describeTree(remote)).toBe(describeTree(directory));
    expect(fs.existsSync(`${remote}/.anyproc-sync`)).toBe(false);

    const back = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-back-"));
    const down = await rootfs.download(back, { transport });
    expect(down).toMatchObject({ transport, unchanged: 0 });
    if (transport === "tar") expect(describeTree(back)).toBe(describeTree(directory));
    else expect(describeTree(back).replaceAll("|2|", "|1|")).toBe(describeTree(directory).replaceAll("|2|", "|1|"));
    fs.rmSync(back, { recursive: true });
  });

  it("sends nothing that is unchanged, and only what has changed", async () => {
    makeTree(local("."));
    const rootfs = box.rootfs(remote);
    await rootfs.upload(directory, { transport });
    const files = fs.statSync(`${remote}/sub/data`).ino;
    expect(await rootfs.upload(directory, { transport })).toMatchObject({ sent: 0, bytes: 0 });
    expect(fs.statSync(`${remote}/sub/data`).ino).toBe(files);

    fs.writeFileSync(local("sub/data"), "new content");
    fs.chmodSync(local("sub/deep/script.sh"), 0o700);
    fs.unlinkSync(local("link"));
    fs.symlinkSync("sub", local("link"));
    expect(await rootfs.upload(directory, { transport })).toMatchObject({ sent: 1, bytes: 11 });
    expect(describeTree(remote)).toBe(describeTree(directory));
    expect(await rootfs.download(directory, { transport })).toMatchObject({ sent: 0 });
  });

  it("changes and removes what lies in directories that may not be written to", async () => {
    makeTree(local("."));
    fs.mkdirSync(local("read-only/old"));
    fs.writeFileSync(local("read-only/old/file"), "");
    fs.chmodSync(local("read-only/old"), 0o500);
    const rootfs = box.rootfs(remote);
    await rootfs.upload(directory, { transport });
    fs.writeFileSync(local("read-only/inside"), "something else");
    fs.rmSync(local("read-only/old"), { recursive: true });
    expect(await rootfs.upload(directory, { transport, delete: true })).toMatchObject({ sent: 1, removed: 2 });
    expect(describeTree(remote)).toBe(describeTree(directory));
  });

  it("removes what the source does not have only when told to", async () => {
    fs.writeFileSync(local("kept"), "");
    const rootfs = box.rootfs(remote);
    await exec(box, ["sh", "-c", 'mkdir -p "$1/old/er" && touch "$1/old/er/file" "$1/other"', "sh", remote]);
    expect(await rootfs.upload(directory, { transport })).toMatchObject({ removed: 0 });
    expect(fs.existsSync(`${remote}/old/er/file`)).toBe(true);
    expect(await rootfs.upload(directory, { transport, delete: true })).toMatchObject({ removed: 4 });
    expect(fs.readdirSync(remote)).toEqual(["kept"]);

    fs.writeFileSync(local("extra"), "");
    fs.mkdirSync(local("extras"));
    await rootfs.download(directory, { transport, delete: true });
    expect(fs.readdirSync(directory)).toEqual(["kept"]);
  });

  it("replaces one kind of thing by another, but no full directory unless told to", async () => {
    fs.writeFileSync(local("a"), "file");
    fs.mkdirSync(local("b"));
    fs.symlinkSync("a", local("c"));
    fs.writeFileSync(local("b/in"), "in");
    await exec(box, ["sh", "-c", 'mkdir -p "$1/a" && ln -s /etc "$1/b" && touch "$1/c"', "sh", remote]);
    const rootfs = box.rootfs(remote);
    await rootfs.upload(directory, { transport });
    expect(describeTree(remote)).toBe(describeTree(directory));
    expect(fs.existsSync("/etc/in")).toBe(false);

    await exec(box, ["sh", "-c", 'rm "$1/a" && mkdir "$1/a" && touch "$1/a/full"', "sh", remote]);
    const error = await rejection(rootfs.upload(directory, { transport }));
    expect(error).toMatchObject({ code: "ANYPROC_SYNC_CONFLICT" });
    expect(error.message).toContain("set delete");
    expect(fs.existsSync(`${remote}/a/full`)).toBe(true);
    await rootfs.upload(directory, { transport, delete: true });
    expect(describeTree(remote)).toBe(describeTree(directory));
  });

  it("tells changed content of the same size and time by its checksum", async () => {
    fs.writeFileSync(local("file"), "one");
    fs.writeFileSync(local("touched"), "same");
    const rootfs = box.rootfs(remote);
    await rootfs.upload(directory, { transport });
    const { mtime } = fs.statSync(local("file"));
    fs.writeFileSync(local("file"), "two");
    fs.utimesSync(local("file"), mtime, mtime);
    fs.utimesSync(local("touched"), 1000, 1000);
    expect(await rootfs.upload(directory, { transport, compare: "checksum" })).toMatchObject({ sent: 1, unchanged: 1 });
    expect(fs.readFileSync(`${remote}/file`, "utf8")).toBe("two");
    expect(fs.statSync(`${remote}/touched`).mtimeMs).toBe(1_000_000);
  });

  it("goes on where an interrupted sync stopped, and leaves no half of anything meanwhile", async () => {
    // More than fits on the way: when the last but one is handed over, the first has been unpacked.
    for (let index = 0; index < 400; index += 1) {
      fs.writeFileSync(local(`file-${index}`), Buffer.alloc(20_000, index));
    }
    fs.mkdirSync(remote, { recursive: true });
    execFileSync("chown", [server.user, remote]);
    const abort = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ files }: SyncProgress): void => {
      if (files === 399) abort.abort(reason);
    };
    const rootfs = box.rootfs(remote);
    expect(await rejection(rootfs.upload(directory, { transport, signal: abort.signal, onProgress }))).toBe(reason);
    expect(fs.readdirSync(remote)).toEqual([".anyproc-sync"]);
    expect(fs.statSync(`${remote}/.anyproc-sync`).mode & 0o777).toBe(0o700);

    const report = await rootfs.upload(directory, { transport });
    expect(report.resumed).toBeGreaterThan(0);
    expect(report.sent).toBe(400 - report.resumed);
    expect(describeTree(remote)).toBe(describeTree(directory));

    const back = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-back-"));
    const again = new AbortController();
    const stop = ({ files }: SyncProgress): void => {
      if (files === 60) again.abort(reason);
    };
    expect(await rejection(rootfs.download(back, { transport, signal: again.signal, onProgress: stop }))).toBe(reason);
    expect(fs.readdirSync(back)).toEqual([".anyproc-sync"]);
    expect(fs.statSync(join(back, ".anyproc-sync")).mode & 0o777).toBe(0o700);
    expect((await rootfs.download(back, { transport })).resumed).toBeGreaterThan(0);
    expect(describeTree(back)).toBe(describeTree(directory));
    fs.rmSync(back, { recursive: true });
  });

  it("does not stage through a symlink that somebody has put there", async () => {
    const outside = local("outside");
    for (const path of [outside, local("source"), local("back"), remote]) fs.mkdirSync(path);
    fs.writeFileSync(local("source/file"), "content");
    for (const target of [remote, local("back")]) fs.symlinkSync(outside, join(target, ".anyproc-sync"));
    for (const path of [directory, outside, remote]) fs.chmodSync(path, 0o777);
    const rootfs = box.rootfs(remote);
    const onProgress = ({ phase }: SyncProgress): void => {
      if (phase === "finish") expect(fs.readdirSync(outside)).toEqual([]);
    };
    expect(await rootfs.upload(local("source"), { transport, onProgress })).toMatchObject({ sent: 1 });
    expect(await rootfs.download(local("back"), { transport, onProgress })).toMatchObject({ sent: 1 });
    for (const target of [remote, local("back")]) expect(fs.readdirSync(target)).toEqual(["file"]);
  });

  it("goes on in the middle of a large file, as long as what is there is the start of it", async () => {
    const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7919) >> 5));
    for (const name of ["good", "bad"]) fs.writeFileSync(local(name), content);
    const starts = { good: content.subarray(0, 2_000_000), bad: content.subarray(1, 2_000_000) };
    const leaveStarts = (target: string): void => {
      fs.mkdirSync(join(target, ".anyproc-sync"), { recursive: true });
      for (const [name, start] of Object.entries(starts)) fs.writeFileSync(join(target, ".anyproc-sync", name), start);
    };
    leaveStarts(remote);
    execFileSync("chown", ["-R", server.user, remote]);
    const rootfs = box.rootfs(remote);
    expect(await rootfs.upload(directory, { transport })).toMatchObject({ sent: 2, resumed: 0, bytes: 4_000_000 });
    expect(describeTree(remote)).toBe(describeTree(directory));

    const back = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-back-"));
    leaveStarts(back);
    expect(await rootfs.download(back, { transport })).toMatchObject({ sent: 2, resumed: 0, bytes: 4_000_000 });
    expect(describeTree(back)).toBe(describeTree(directory));

    await within(enter(server, { user: "root" }), async (root) => {
      fs.rmSync(remote, { recursive: true });
      leaveStarts(remote);
      fs.chownSync(local("good"), 1234, 2345);
      expect(await root.rootfs(remote).upload(directory, { transport })).toMatchObject({ bytes: 4_000_000 });
      expect(fs.statSync(`${remote}/good`)).toMatchObject({ uid: 1234, gid: 2345 });
    });
    fs.rmSync(back, { recursive: true });
  });

  it("is an error with the remedy when the server goes in the middle, and goes on with another connection", async () => {
    fs.writeFileSync(local("first"), "first");
    // Whatever the order, much is left when the first of them has arrived.
    for (const name of ["large", "larger"]) fs.writeFileSync(local(name), Buffer.alloc(30_000_000, 7));
    const back = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-back-"));
    const other = await startSshServer();
    try {
      const target = `${other.home}/tree`;
      for (const direction of ["upload", "download"] as const) {
        const here = direction === "upload" ? directory : back;
        const connection = await enter(other);
        let isDropped = false;
        const onProgress = ({ phase, files }: SyncProgress): void => {
          if (isDropped || phase !== "send" || files === 0) return;
          isDropped = true;
          other.dropConnections();
        };
        const error = await rejection(connection.rootfs(target)[direction](here, { transport, onProgress }));
        expect([error.code, error.message]).toMatchObject(["ANYPROC_CONNECTION_LOST", expect.stringContaining("lost")]);
        await connection.close();
        await within(enter(other), (again) => again.rootfs(target)[direction](here, { transport }));
      }
      expect(describeTree(target)).toBe(describeTree(directory));
      expect(describeTree(back)).toBe(describeTree(directory));
    } finally {
      await other.stop();
      fs.rmSync(back, { recursive: true });
    }
  });

  it("reports what could not be kept", async () => {
    execFileSync("mkfifo", [local("fifo")]);
    execFileSync("python3", [
      "-c",
      "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      local("socket"),
    ]);
    fs.writeFileSync(local("file"), "");
    const report = await box.rootfs(remote).upload(directory, { transport });
    const kinds = report.losses.map(({ path, what }) => `${path}: ${what}`);
    expect(kinds).toContain("socket: socket");
    expect(kinds.includes("fifo: file type")).toBe(transport === "sftp");
    expect(kinds.some((kind) => kind.endsWith(": owner"))).toBe(true);
    expect(report.lossCount).toBe(report.losses.length);
    expect(fs.existsSync(`${remote}/fifo`)).toBe(transport === "tar");
  });

  it("keeps owners when root writes, both ways", async () => {
    fs.writeFileSync(local("owned"), "owned");
    fs.mkdirSync(local("directory"));
    fs.writeFileSync(local("directory/setuid"), "setuid");
    fs.chownSync(local("owned"), 1234, 2345);
    fs.chownSync(local("directory"), 3456, 4567);
    fs.chownSync(local("directory/setuid"), 1234, 2345);
    fs.chmodSync(local("directory/setuid"), 0o4755);
    const owners = (root: string): string =>
      execFileSync("find", [root, "-mindepth", "1", "-printf", "%P %U:%G %m\\n"], { encoding: "utf8" })
        .split("\n")
        .sort()
        .join("\n");
    await within(enter(server, { user: "root" }), async (root) => {
      const rootfs = root.rootfs(remote);
      expect((await rootfs.upload(directory, { transport })).losses).toEqual([]);
      expect(owners(remote)).toBe(owners(directory));
      const back = fs.mkdtempSync(join(tmpdir(), "anyproc-sync-back-"));
      expect((await rootfs.download(back, { transport })).losses).toEqual([]);
      expect(owners(back)).toBe(owners(directory));
      fs.rmSync(back, { recursive: true });
      fs.chownSync(local("owned"), 1, 1);
      expect(await rootfs.upload(directory, { transport })).toMatchObject({ sent: 0 });
      expect(owners(remote)).toBe(owners(directory));
    });
  });

  it.runIf(transport === "tar")("brings devices when root writes", async () => {
    execFileSync("mknod", [local("null"), "c", "1", "3"]);
    await within(enter(server, { user: "root" }), async (root) => {
      expect((await root.rootfs(remote).upload(directory)).losses).toEqual([]);
    });
    expect(fs.statSync(`${remote}/null`).rdev).toBe(fs.statSync("/dev/null").rdev);
    const report = await box.rootfs(`${remote}-user`).upload(directory);
    expect(report.losses).toMatchObject([{ path: "null", what: "device" }]);
  });

  it("tells how far it is", async () => {
    makeTree(local("."));
    const told: SyncProgress[] = [];
    await box.rootfs(remote).upload(directory, { transport, onProgress: (progress) => told.push(progress) });
    expect(told.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1])).toEqual([
      "compare",
      "send",
      "finish",
    ]);
    const last = told.at(-1);
    expect(last).toMatchObject({ files: 7, totalFiles: 7 });
    expect(last?.bytes).toBe(last?.totalBytes);
  });

  it("says that the remote disk is full, and goes on when there is room", async () => {
    fs.mkdirSync(remote, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", remote]);
    try {
      for (let index = 0; index < 6; index += 1)
        fs.writeFileSync(local(`file-${index}`), Buffer.alloc(1_000_000, index));
      const error = await rejection(box.rootfs(remote).upload(directory, { transport }));
      expect(error).toMatchObject({ code: "ANYPROC_NO_SPACE" });
      expect(error.message).toContain("make room and run it again");
      execFileSync("mount", ["-o", "remount,size=64m", remote]);
      await box.rootfs(remote).upload(directory, { transport });
      expect(describeTree(remote)).toBe(describeTree(directory));
    } finally {
      execFileSync("umount", [remote]);
    }
  });
});

const busybox = "/bin/busybox";

describeOnServer("a server with other tools", () => {
  /** A server's PATH with these programs of BusyBox's and a shell, which has no others built in. */
  function toolsOf(names: readonly string[]): { env: { PATH: string } } {
    const path = local("tools");
    fs.chmodSync(directory, 0o755);
    fs.mkdirSync(path);
    for (const name of names) fs.symlinkSync(busybox, join(path, name));
    fs.symlinkSync("/bin/dash", join(path, "sh"));
    return { env: { PATH: path } };
  }

  it.runIf(process.env["CI"] || fs.existsSync(busybox))("is synchronised with BusyBox's tar and no find", async () => {
    const tools = ["env", "id", "head", "tar", "find", "xargs", "sha256sum", "mkdir"];
    await within(enter(server, toolsOf(tools)), async (small) => {
      const source = local("source");
      makeTree(source);
      const rootfs = small.rootfs(remote);
      expect(await rootfs.upload(source)).toMatchObject({ transport: "tar", sent: 7 });
      expect(describeTree(remote)).toBe(describeTree(source));
      expect(await rootfs.upload(source)).toMatchObject({ sent: 0 });
      expect(await rootfs.upload(source, { compare: "checksum" })).toMatchObject({ sent: 0 });
      // SFTP does not tell which names are one file.
      expect(await rootfs.download(local("back"))).toMatchObject({ transport: "sftp", sent: 8 });
      await rootfs.copyTo(small.rootfs(`${remote}-copy`));
      expect(describeTree(`${remote}-copy`)).toBe(describeTree(source));
    });
  });

  it.runIf(process.env["CI"] || fs.existsSync(busybox))("is synchronised over SFTP where there is no tar", async () => {
    await within(enter(server, toolsOf(["env", "id", "head"])), async (bare) => {
      const source = local("source");
      makeTree(source);
      const rootfs = bare.rootfs(remote);
      expect(await rootfs.upload(source)).toMatchObject({ transport: "sftp", sent: 7 });
      expect(describeTree(remote)).toBe(describeTree(source));
      expect(await rootfs.upload(source, { compare: "checksum" })).toMatchObject({ sent: 0 });
    });
  });
});

describeOnServer("a server whose find lies", () => {
  /** A server where find(1) lists these types and paths. */
  function findsInstead(listed: readonly string[]): { env: { PATH: string } } {
    fs.chmodSync(directory, 0o755);
    const facts = ["644", "0", "0", "5", "1.5", "1", "8:1", ""];
    const listing = listed.flatMap((entry) => [entry.slice(0, 1), ...facts, entry.slice(2), ""].join("\0"));
    fs.mkdirSync(local("tools"));
    fs.writeFileSync(local("listing"), listing.join(""));
    const script = `#!/bin/sh\n[ "$1" = --version ] && exec echo "find (GNU findutils)"\ncat ${local("listing")}\n`;
    fs.writeFileSync(local("tools/find"), script, { mode: 0o755 });
    return { env: { PATH: `${local("tools")}:/usr/bin:/bin` } };
  }

  it.each(["../escaped", "/tmp/escaped", "way/escaped"])("writes nothing to %s", async (path) => {
    fs.mkdirSync(local("outside"));
    fs.mkdirSync(local("target"));
    fs.symlinkSync(local("outside"), local("target/way"));
    await exec(box, ["sh", "-c", 'mkdir -p "$1/way" && printf hello > "$1/way/escaped"', "sh", remote]);
    await within(enter(server, findsInstead([`f ${path}`])), async (liar) => {
      const error = await rejection(liar.rootfs(remote).download(local("target")));
      expect(error).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    });
    expect(fs.readdirSync(local("outside"))).toEqual([]);
    expect(fs.readdirSync(local("target"))).toEqual(["way"]);
  });

  it("removes nothing because a listing broke off", async () => {
    await exec(box, ["mkdir", remote]);
    fs.mkdirSync(local("target"));
    fs.writeFileSync(local("target/kept"), "");
    await within(enter(server, findsInstead([])), async (liar) => {
      fs.writeFileSync(local("listing"), "f\0");
      const error = await rejection(liar.rootfs(remote).download(local("target"), { delete: true }));
      expect(error).toMatchObject({ code: "ANYPROC_SYNC_FAILED" });
    });
    expect(fs.existsSync(local("target/kept"))).toBe(true);
  });

  it("names what has a type that nobody knows, and goes on with the rest", async () => {
    await exec(box, ["sh", "-c", 'mkdir "$1" && printf hello > "$1/file"', "sh", remote]);
    await within(enter(server, findsInstead(["D door", "f file"])), async (odd) => {
      const report = await odd.rootfs(remote).download(local("target"), { delete: true });
      expect(report).toMatchObject({ sent: 1, losses: [{ path: "door", what: "file type" }] });
    });
  });
});

describeOnServer("a server that only allows SFTP", () => {
  it("is synchronised over SFTP, without being asked", async () => {
    await withServer(sshServerKinds.filesOnly, async (filesOnly) => {
      await within(enter(filesOnly), async (other) => {
        makeTree(local("."));
        const target = other.rootfs(`${filesOnly.home}/tree`);
        expect(await target.upload(directory)).toMatchObject({ transport: "sftp", sent: 7 });
        expect(describeTree(target.path)).toBe(describeTree(directory));
        expect(await target.upload(directory)).toMatchObject({ sent: 0 });
        const error = await rejection(target.upload(directory, { transport: "tar" }));
        expect(error).toMatchObject({ code: "ANYPROC_UNSUPPORTED" });
      });
    });
  });
});

describeOnServer("a rootfs", () => {
  it("runs programs in itself", async () => {
    fs.mkdirSync(local("bin"));
    fs.writeFileSync(local("bin/tool"), '#!/bin/sh\npwd; echo "$@"\n', { mode: 0o755 });
    const rootfs = box.rootfs(remote);
    await rootfs.upload(directory);
    const inside = await rootfs.environment();
    expect((await exec(inside, ["./bin/tool", "a"])).stdout).toBe(`${remote}\na\n`);
    expect((await exec(inside, { argv: ["./tool"], cwd: "/bin" })).stdout).toBe(`${remote}/bin\n\n`);
    expect((await inside.fs?.readFile("/bin/tool"))?.toString()).toContain("pwd");
    await inside.close();
    expect((await exec(box, ["true"])).exitCode).toBe(0);
  });

  it("imports and exports tar streams, and copies itself to another", async () => {
    makeTree(local("."));
    const archive = execFileSync("tar", ["-c", "-C", directory, "."], { maxBuffer: 2 ** 28 });
    const rootfs = box.rootfs(remote);
    const report = await rootfs.importTar(Readable.from([archive]));
    expect(report.entries).toBeGreaterThan(10);
    expect(report.losses.map(({ what }) => what)).toEqual(["owner"]);
    expect(describeTree(remote)).toBe(describeTree(directory));
    await rootfs.copyTo(box.rootfs(`${remote}-copy`));
    expect(describeTree(`${remote}-copy`)).toBe(describeTree(directory));
    const { tar, report: sent } = rootfs.exportTar();
    const names: string[] = [];
    const parser = extract();
    parser.on("entry", (header, content, next) => {
      names.push(header.name);
      content.on("end", next).resume();
    });
    await pipeline(tar, parser);
    expect((await sent).entries).toBe(names.length);
  });

  it("reports extended attributes that it does not restore", async () => {
    const archive = pack();
    archive.entry({ name: "file", pax: { "SCHILY.xattr.user.comment": "hello" } }, "content");
    archive.finalize();
    const report = await box.rootfs(remote).importTar(Readable.from(archive));
    expect(report.losses).toMatchObject([{ path: "file", what: "xattr" }, { what: "owner" }]);
    expect(fs.readFileSync(`${remote}/file`, "utf8")).toBe("content");
  });

  it.each([
    ["../outside", "file"],
    ["a/../../outside", "file"],
  ])("refuses an archive with %s", async (name) => {
    const archive = pack();
    archive.entry({ name }, "escaped");
    archive.finalize();
    const error = await rejection(box.rootfs(remote).importTar(Readable.from(archive)));
    expect(error).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    expect(fs.existsSync(`${server.home}/outside`)).toBe(false);
  });

  it("refuses an archive that writes through a symlink, its own or one that was there", async () => {
    const outside = `${server.home}/outside-${round}`;
    await exec(box, ["mkdir", "-p", outside, remote]);
    const through = (withLink: boolean): Readable => {
      const archive = pack();
      if (withLink) archive.entry({ name: "way", type: "symlink", linkname: outside });
      archive.entry({ name: "way/escaped" }, "escaped");
      archive.finalize();
      return Readable.from(archive);
    };
    const rootfs = box.rootfs(remote);
    expect(await rejection(rootfs.importTar(through(true)))).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    await exec(box, ["sh", "-c", 'rm -rf "$1/way"; ln -s "$2" "$1/way"', "sh", remote, outside]);
    expect(await rejection(rootfs.importTar(through(false)))).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    expect(fs.readdirSync(outside)).toEqual([]);
  });

  it("says that an archive is none, and that directories are not there", async () => {
    const noise = Readable.from([Buffer.alloc(2048, "no tar at all ")]);
    expect(await rejection(box.rootfs(remote).importTar(noise))).toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
    const missing = box.rootfs(`${remote}/no/such`);
    expect(await rejection(missing.download(directory))).toMatchObject({ code: "ANYPROC_ROOTFS_NOT_FOUND" });
    const { tar, report } = missing.exportTar();
    tar.on("error", () => {});
    expect(await rejection(report)).toMatchObject({ code: "ANYPROC_ROOTFS_NOT_FOUND" });
    expect(await rejection(missing.upload(local("none")))).toMatchObject({ code: "ANYPROC_ROOTFS_NOT_FOUND" });
    expect(() => box.rootfs("relative")).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
  });
});
