import { spawnSync } from "node:child_process";
import { readlinkSync, realpathSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { dirname, join } from "node:path";
import { getDefaultHighWaterMark } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createEnvironment, createProcess, exec, registeredEnvironments } from "@anyproc/core";
import { createHost } from "@anyproc/host";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "./temporary.ts";

const isRoot = process.geteuid?.() === 0;

describe("the registry", () => {
  test("knows host, and os as another name for it", async () => {
    expect(registeredEnvironments()).toEqual(expect.arrayContaining(["host", "os"]));
    const host = await createEnvironment("os", { env: { FROM: "options" } });
    expect((await exec(host, ["sh", "-c", "echo $FROM"])).stdout).toBe("options\n");
    const process = await createProcess("host", ["sh", "-c", "exit 3"]);
    await process.start();
    expect((await process.wait()).exitCode).toBe(3);
  });

  test("may be told by a second copy of the package", async () => {
    const before = registeredEnvironments();
    const copy = "../src/index.ts?copy";
    await import(/* @vite-ignore */ copy);
    expect(registeredEnvironments()).toEqual(before);
  });
});

describe("createHost({ env, inheritEnv, cwd })", () => {
  test("adds to this process's variables, and takes some away", async () => {
    process.env["ANYPROC_TEST_INHERITED"] = "inherited";
    process.env["ANYPROC_TEST_REMOVED"] = "removed";
    try {
      const host = createHost({ env: { ADDED: "added", ANYPROC_TEST_REMOVED: undefined } });
      const script = 'echo "$ANYPROC_TEST_INHERITED $ADDED ${ANYPROC_TEST_REMOVED-unset}"';
      expect((await exec(host, ["sh", "-c", script])).stdout).toBe("inherited added unset\n");
    } finally {
      delete process.env["ANYPROC_TEST_INHERITED"];
      delete process.env["ANYPROC_TEST_REMOVED"];
    }
  });

  test("starts from nothing when told to", async () => {
    const host = createHost({ inheritEnv: false, env: { ONLY: "1" } });
    expect((await exec(host, [realpathSync("/usr/bin/env")])).stdout).toBe("ONLY=1\n");
  });

  test("runs commands in its directory, unless they name their own", async () => {
    const cwd = realpathSync(await temporaryDirectory());
    const host = createHost({ cwd });
    expect((await exec(host, ["pwd"])).stdout).toBe(`${cwd}\n`);
    expect((await exec(host, { argv: ["pwd"], cwd: "/" })).stdout).toBe("/\n");
  });
});

describe.skipIf(process.platform === "win32")("a program that cannot be executed", () => {
  const host = createHost();
  const run = (argv: [string], path?: string) =>
    exec(host, { argv, env: path === undefined ? {} : { PATH: path } }, { reject: false });

  async function executable(name: string, contents: string | Uint8Array): Promise<string> {
    const path = join(await temporaryDirectory(), name);
    await writeFile(path, contents, { mode: 0o755 });
    return path;
  }

  test.each([
    ["a binary for another processor", foreignElf(), /built for/],
    ["bytes that nobody understands", Uint8Array.of(1, 0, 2, 0), /neither an executable/],
  ])("is exit code 126 with a reason: %s", async (_what, contents, reason) => {
    const path = await executable("program", contents);
    const message = expect.stringMatching(reason);
    expect(await run([path])).toMatchObject({ exitCode: 126, stdout: "", stderr: message });
    expect(await run(["program"], `${dirname(path)}:/usr/bin`)).toMatchObject({ exitCode: 126, stderr: message });
    const onTerminal = await exec(host, { argv: [path], pty: true }, { reject: false });
    expect(onTerminal).toMatchObject({ exitCode: 126, stdout: message });
  });

  test("is exit code 126 with a reason: a directory, and what nobody may execute", async () => {
    const path = await executable("program", "#!/bin/sh\n");
    await chmod(path, 0o644);
    expect((await run([dirname(path)])).stderr).toMatch(/: found, but not executable: it is a directory/);
    expect((await run([path])).stderr).toBe(
      `anyproc: ${path}: found, but not executable: nobody may execute it: chmod +x ${path}\n`,
    );
  });

  test.skipIf(isRoot)("is exit code 126 with a reason: what others may execute (root may)", async () => {
    const path = await executable("program", "#!/bin/sh\n");
    await chmod(path, 0o611);
    expect(await run([path])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining("you may not execute") });
  });

  test("is exit code 127 when its interpreter is missing, which is named", async () => {
    // As an editor on Windows leaves it.
    const path = await executable("program", "#!/bin/sh\r\n");
    const stderr = expect.stringContaining(
      `: its interpreter is missing: install "/bin/sh\\r", or correct the first line`,
    );
    expect(await run([path])).toMatchObject({ exitCode: 127, stderr });
    expect(await run(["program"], dirname(path))).toMatchObject({ exitCode: 127, stderr });
  });

  test("is not a script without a first line for its shell: that is sh's", async () => {
    const path = await executable("script", "echo from sh; exit 2\n");
    expect(await run([path])).toMatchObject({ exitCode: 2, stdout: "from sh\n" });
  });

  test.skipIf(isRoot)("is 127 when PATH holds a directory that may not be searched (root may)", async () => {
    const closed = await temporaryDirectory();
    await chmod(closed, 0);
    const path = `${closed}:/usr/bin:/bin`;
    expect(await run(["anyproc-no-such-command"], path)).toMatchObject({ exitCode: 127 });
    const command = { argv: ["anyproc-no-such-command"], env: { PATH: path }, pty: true } as const;
    expect(await exec(host, command, { reject: false })).toMatchObject({ exitCode: 127 });
  });

  test.skipIf(isRoot)("is not to blame for a directory that may not be entered (root may)", async () => {
    const closed = await temporaryDirectory();
    await mkdir(join(closed, "inside"));
    await chmod(closed, 0);
    for (const pty of [false, true]) {
      const running = exec(host, { argv: ["true"], cwd: join(closed, "inside"), pty });
      await expect(running).rejects.toMatchObject({ code: "ANYPROC_CWD_NOT_FOUND" });
    }
    expect(() => createHost({ rootfs: join(closed, "inside") })).toThrow(
      expect.objectContaining({ code: "ANYPROC_ROOTFS_NOT_FOUND" }),
    );
  });
});

describe("createHost({ detached, niceness })", () => {
  test("gives every program a session of its own", async () => {
    const child = await createHost({ detached: true }).spawn(["cat"]);
    const shared = await createHost().spawn(["cat"]);
    const sessionOf = (pid?: number): number => Number(spawnSync("ps", ["-o", "sid=", "-p", String(pid)]).stdout);
    expect(sessionOf(child.pid)).toBe(child.pid);
    expect(sessionOf(shared.pid)).toBe(sessionOf(process.pid));
    await Promise.all([child.close(), shared.close()]);
  });

  test("makes programs nicer", async () => {
    const child = await createHost({ niceness: 7 }).spawn(["cat"]);
    expect(getPriority(child.pid)).toBe(7);
    await child.close();
  });

  test("refuses what no system has", () => {
    for (const niceness of [-21, 20, 1.5, Number.NaN]) {
      expect(() => createHost({ niceness })).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
    }
  });

  test.runIf(isRoot)("ends a program that may not have the niceness it was given", async () => {
    const host = createHost({ niceness: -5 });
    process.seteuid?.(65_534);
    try {
      await expect(host.spawn({ argv: ["cat"] })).rejects.toMatchObject({ code: "ANYPROC_START_FAILED" });
    } finally {
      process.seteuid?.(0);
    }
    await host.close();
  });
});

describe("stdio", () => {
  test.runIf(process.platform === "linux")("may be inherited from this process", async () => {
    const streamsOf = (path: string): string[] => ["0", "2"].map((fd) => readlinkSync(`${path}/fd/${fd}`));
    const child = createHost().create({ argv: ["cat"], stdin: "inherit", stderr: "inherit" });
    await child.start();
    expect(streamsOf(`/proc/${child.pid}`)).toEqual(streamsOf("/proc/self"));
    await child.close();
  });

  test("of a script without an interpreter line is that of a shell", async () => {
    const script = join(await temporaryDirectory(), "script");
    await writeFile(script, "echo plain\n");
    await chmod(script, 0o755);
    expect((await exec(createHost(), [script])).stdout).toBe("plain\n");
  });
});

describe.skipIf(process.platform === "win32")("a terminal", () => {
  test("is read to its end by a process that was kept from running when the program ended", async () => {
    // More than a stream holds before it asks for a pause, and less than that and a terminal's own buffer.
    const size = getDefaultHighWaterMark(false) + 2000;
    const child = await createHost().spawn({ argv: ["sh", "-c", `head -c ${size} /dev/zero | tr '\\0' x`], pty: true });
    const output = child.stdout;
    while (isRunning(child.pid)) await new Promise(setImmediate);
    await new Promise(setImmediate);
    // Longer than the terminal library gives a reader after the end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    expect((await buffer(output)).length).toBe(size);
    await child.wait();
  });
});

function isRunning(pid = 0): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.runIf(isRoot)("a user", () => {
  const whoAmI = ["sh", "-c", "id -u; id -g; id -G"] as const;

  async function identity(
    user: Parameters<ReturnType<typeof createHost>["create"]>[0],
    options = {},
  ): Promise<string[]> {
    return (await exec(createHost(options), user, { reject: false })).stdout.trim().split(/\s+/);
  }

  test("is set by number, without root's supplementary groups", async () => {
    expect(await identity({ argv: whoAmI, user: { uid: 1234, gid: 5678 } })).toEqual(["1234", "5678", "5678"]);
  });

  test("is set with supplementary groups", async () => {
    const user = { uid: 1234, gid: 5678, additionalGids: [11, 22] };
    expect(await identity({ argv: whoAmI, user })).toEqual(["1234", "5678", "5678", "11", "22"]);
  });

  test("is set by name, with the groups of that name", async () => {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      spawnSync("id", [flag, "daemon"], { encoding: "utf8" }).stdout.trim(),
    );
    expect((await identity({ argv: whoAmI, user: "daemon" })).slice(0, 2)).toEqual([uid, gid]);
  });

  test("is set on a terminal too, without root's supplementary groups", async () => {
    expect(await identity({ argv: whoAmI, user: { uid: 1234, gid: 5678 }, pty: true })).toEqual([
      "1234",
      "5678",
      "5678",
    ]);
  });

  test("keeps the working directory, with supplementary groups too", async () => {
    const user = { uid: 1234, gid: 5678, additionalGids: [11] };
    expect((await exec(createHost(), { argv: ["pwd"], cwd: "/usr", user })).stdout).toBe("/usr\n");
  });

  test("that nobody knows is an error that says where to look", async () => {
    await expect(createHost().spawn({ argv: ["id"], user: "nobody-has-this-name" })).rejects.toMatchObject({
      code: "ANYPROC_INVALID_COMMAND",
      message: expect.stringContaining("/etc/passwd"),
    });
  });

  test("is looked up inside the rootfs with chroot", async () => {
    const rootfs = await temporaryDirectory();
    await chmod(rootfs, 0o755);
    await mkdir(join(rootfs, "etc"));
    await writeFile(join(rootfs, "etc/passwd"), "guest:x:4321:8765::/:/bin/sh\n");
    await writeFile(join(rootfs, "etc/group"), "extra:x:99:guest\nother:x:98:somebody\n");
    copyPrograms(rootfs, ["/bin/sh", "/usr/bin/id"]);
    const { stdout } = await exec(createHost({ rootfs, chroot: true }), { argv: whoAmI, user: "guest", cwd: "/etc" });
    expect(stdout.trim().split(/\s+/)).toEqual(["4321", "8765", "8765", "99"]);
  });
});

describe("createHost({ rootfs })", () => {
  async function rootfsWithLinks(): Promise<string> {
    const rootfs = realpathSync(await temporaryDirectory());
    await mkdir(join(rootfs, "srv/app"), { recursive: true });
    await mkdir(join(rootfs, "etc"));
    await writeFile(join(rootfs, "etc/hostname"), "inside\n");
    await symlink("/srv/app", join(rootfs, "app"));
    await symlink("../../../../../../etc/hostname", join(rootfs, "srv/name"));
    await symlink("loop", join(rootfs, "loop"));
    return rootfs;
  }

  test("takes working directories from there, symlinks included", async () => {
    const rootfs = await rootfsWithLinks();
    const host = createHost({ rootfs });
    expect((await exec(host, ["pwd", "-P"])).stdout).toBe(`${rootfs}\n`);
    expect((await exec(host, { argv: ["pwd", "-P"], cwd: "/app" })).stdout).toBe(`${rootfs}/srv/app\n`);
    expect((await exec(host, { argv: ["pwd", "-P"], cwd: "/../../srv" })).stdout).toBe(`${rootfs}/srv\n`);
    await expect(exec(host, { argv: ["pwd"], cwd: "/usr" })).rejects.toMatchObject({ code: "ANYPROC_CWD_NOT_FOUND" });
  });

  test("keeps fs inside, whatever symlinks say", async () => {
    const rootfs = await rootfsWithLinks();
    const { fs } = createHost({ rootfs });
    expect((await fs?.readFile("/srv/name"))?.toString()).toBe("inside\n");
    expect((await fs?.readFile("/../../etc/hostname"))?.toString()).toBe("inside\n");
    await fs?.writeFile("/app/new", "written");
    expect(await readFile(join(rootfs, "srv/app/new"), "utf8")).toBe("written");
    await fs?.symlink("/etc", "/etc link");
    expect(await fs?.readdir("/etc link")).toEqual(["hostname"]);
    await fs?.rm("/etc link");
    expect(await fs?.readdir("/etc")).toEqual(["hostname"]);
    await expect(fs?.readFile("/loop")).rejects.toMatchObject({ code: "ELOOP" });
    await expect(fs?.readFile("/proc/self/status")).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that is missing is an error that names it", () => {
    expect(() => createHost({ rootfs: "/nonexistent/rootfs" })).toThrow(
      expect.objectContaining({
        code: "ANYPROC_ROOTFS_NOT_FOUND",
        message: expect.stringContaining("/nonexistent/rootfs"),
      }),
    );
  });

  test("is needed for chroot", () => {
    expect(() => createHost({ chroot: true })).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
  });

  test.runIf(isRoot)("is the root directory with chroot", async () => {
    const host = createHost({ rootfs: "/", chroot: true });
    expect((await exec(host, ["pwd"])).stdout).toBe("/\n");
    expect((await exec(host, { argv: ["pwd"], cwd: "/usr" })).stdout).toBe("/usr\n");
    expect(await exec(host, ["anyproc-no-such-command"], { reject: false })).toMatchObject({ exitCode: 127 });
    expect(await exec(host, ["/usr"], { reject: false })).toMatchObject({ exitCode: 126 });
  });
});

/** Puts programs into a rootfs, with the libraries that ldd(1) says they need. */
function copyPrograms(rootfs: string, programs: readonly string[]): void {
  const libraries = spawnSync("ldd", programs, { encoding: "utf8" }).stdout.match(/\/\S+(?= \(0x)/g) ?? [];
  const { status, stderr } = spawnSync("cp", ["-L", "--parents", ...new Set([...programs, ...libraries]), rootfs]);
  if (status !== 0) throw new Error(String(stderr));
}

/** The start of an executable for a processor that nobody has had since 1990: elf(5), EM_M32. */
function foreignElf(): Uint8Array {
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(1, 18);
  return header;
}
