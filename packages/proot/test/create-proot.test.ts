import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "@anyproc/core";
import { createProot } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A rootfs made of binds: this machine's programs around a directory of our own. */
async function ownRootfs(): Promise<{ rootfs: string; binds: string[] }> {
  const rootfs = await temporaryDirectory();
  for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, join(rootfs, name));
  await mkdir(join(rootfs, "tmp"));
  return { rootfs, binds: ["/usr::ro"] };
}

async function output(options: Parameters<typeof createProot>[0], script: string): Promise<string> {
  const guest = await createProot(options);
  const { stdout } = await exec(guest, ["/bin/sh", "-c", script], { trimFinalNewline: true });
  await guest.close();
  return stdout;
}

describe.skipIf(engineIsMissing)("a guest", () => {
  test("sees the rootfs as /, and files made there are the host's own", async () => {
    const own = await ownRootfs();
    expect(await output(own, "cd /tmp && echo made > file && pwd && ls -a /")).toMatch(/^\/tmp\n\.\n\.\.\n/);
    expect(await readFile(join(own.rootfs, "tmp/file"), "utf8")).toBe("made\n");
  });

  test("follows absolute links inside the rootfs, and .. stops at its root", async () => {
    const own = await ownRootfs();
    await writeFile(join(own.rootfs, "tmp/target"), "inside");
    await symlink("/../../tmp/target", join(own.rootfs, "link"));
    expect(await output(own, "cat /link /tmp/../../../link")).toBe("insideinside");
  });

  test("is root by default, the host's user on request, or anybody", async () => {
    expect(await output({ rootfs: "/" }, "id -u; id -g")).toBe("0\n0");
    expect(await output({ rootfs: "/", id: "host" }, "id -u")).toBe(String(process.getuid?.()));
    expect(await output({ rootfs: "/", id: { uid: 4321, gid: 1234 } }, "id -u; id -g")).toBe("4321\n1234");
  });

  test("remembers from run to run whom files belong to", async () => {
    const own = await ownRootfs();
    await chmod(own.rootfs, 0o755);
    const list = "stat -c '%u:%g %a %n' /tmp/given /tmp/made";
    const owners = "33:44 600 /tmp/given\n33:44 755 /tmp/made";
    const change = "cd /tmp; umask 22; echo > given; chmod 600 given; chown 33:44 given; chmod 777 /tmp";
    const make = "exec setpriv --regid=44 --reuid=33 --clear-groups mkdir made";
    await output(own, `${change}; ${make}`);
    expect(await output(own, list)).toBe(owners);
    expect(await output(own, `mv /tmp/given /tmp/moved; mv /tmp/moved /tmp/given; ${list}`)).toBe(owners);
  });

  test("a command's user is looked up in the guest", async () => {
    const own = await ownRootfs();
    await mkdir(join(own.rootfs, "etc"));
    await writeFile(join(own.rootfs, "etc/passwd"), "web:x:33:44::/var/www:/bin/sh\n");
    const guest = await createProot(own);
    const { stdout } = await exec(guest, { argv: ["/bin/sh", "-c", "id -u; id -g; echo $HOME"], user: "web" });
    expect(stdout).toBe("33\n44\n/var/www\n");
    await expect(exec(guest, { argv: ["id"], user: "nobody-here" })).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
    });
  });

  test("starts from a clean set of variables", async () => {
    process.env["ANYPROC_TEST_SECRET"] = "secret";
    process.env["LD_LIBRARY_PATH"] = "/nowhere";
    try {
      const clean = await output({ rootfs: "/" }, "env");
      expect(clean).toContain("PATH=/usr/local/sbin:");
      expect(clean).not.toMatch(/SECRET|LD_LIBRARY_PATH/);
      const all = await output({ rootfs: "/", inheritEnv: true }, "env");
      expect(all).toContain("ANYPROC_TEST_SECRET=secret");
      expect(all).not.toContain("LD_LIBRARY_PATH");
      expect(await output({ rootfs: "/", inheritEnv: ["ANYPROC_TEST_SECRET"] }, "env")).toContain("=secret");
    } finally {
      delete process.env["ANYPROC_TEST_SECRET"];
      delete process.env["LD_LIBRARY_PATH"];
    }
  });

  test("a bind follows a link in its way, or covers it when told to, for programs and files alike", async () => {
    const own = await ownRootfs();
    const bound = await temporaryDirectory();
    await writeFile(join(bound, "file"), "bound");
    await mkdir(join(own.rootfs, "real"));
    await writeFile(join(own.rootfs, "real/file"), "real");
    await symlink("/real", join(own.rootfs, "link"));
    for (const [bind, expected] of [
      [`${bound}:/link`, ["boundbound", "symbolic link", ""]],
      [`${bound}:/link!`, ["boundreal", "directory", ""]],
    ] as const) {
      const guest = await createProot({ ...own, binds: [...own.binds, bind] });
      const script = "cat /link/file /real/file; echo; stat -c %F /link";
      const { stdout } = await exec(guest, ["/bin/sh", "-c", script]);
      expect(stdout.split("\n")).toEqual(expected);
      const files = [await guest.fs?.readFile("/link/file"), await guest.fs?.readFile("/real/file")];
      expect(files.join("")).toBe(expected[0]);
      await guest.close();
    }
  });

  test("binds show host paths anywhere, and read-only ones refuse every change", async () => {
    const own = await ownRootfs();
    const bound = await temporaryDirectory();
    await writeFile(join(bound, "file"), "bound");
    const fixed = await temporaryDirectory();
    await writeFile(join(fixed, "file"), "fixed");
    const options = { ...own, binds: [...own.binds, `${bound}:/made/up`, `${fixed}:/fixed:ro`] };
    expect(await output(options, "cat /made/up/file; cd /made/up && pwd; cat ../up/file")).toBe("bound/made/up\nbound");
    expect(await output(options, "(echo x > /fixed/file) 2>&1; cat /fixed/file")).toMatch(
      /Read-only file system\nfixed$/,
    );
  });

  test("reads and writes through fs what its programs see", async () => {
    const own = await ownRootfs();
    const guest = await createProot(own);
    await guest.fs?.writeFile("/tmp/from-host", "hello");
    expect((await exec(guest, ["cat", "/tmp/from-host"])).stdout).toBe("hello");
    await exec(guest, ["/bin/sh", "-c", "mkdir /tmp/d && ln -s d /tmp/l"]);
    expect(await guest.fs?.readlink("/tmp/l")).toBe("d");
  });

  test("killed by SIGKILL takes every descendant along, also one in a session of its own", async () => {
    const guest = await createProot({ rootfs: "/" });
    const marker = `77${process.pid}`;
    const running = await guest.spawn(["sh", "-c", `setsid sleep ${marker} & (sleep ${marker} &) ; echo ready; wait`]);
    await once(running.stdout, "data");
    await running.signal("SIGKILL");
    expect((await running.wait()).signal).toBe("SIGKILL");
    expect(spawnSync("pgrep", ["-f", `^sleep ${marker}$`]).stdout.toString()).toBe("");
  });

  test("can be stopped and continued", async () => {
    const guest = await createProot({ rootfs: "/" });
    const running = await guest.spawn(["sh", "-c", "echo $$; exec sleep 1000"]);
    const [pid] = (await once(running.stdout, "data")) as [Buffer];
    const state = async (): Promise<string | undefined> =>
      (await readFile(`/proc/${String(pid).trim()}/stat`, "utf8")).split(" ")[2];
    await running.signal("SIGSTOP");
    await expect.poll(state).toBe("T");
    await running.signal("SIGCONT");
    await expect.poll(state).not.toBe("T");
    await running.close();
  });
});

describe.skipIf(engineIsMissing)("what cannot be", () => {
  test.each([
    ["a missing rootfs", { rootfs: "/no/such/rootfs" }, "ANYPROC_ROOTFS_NOT_FOUND"],
    ["a rootfs that is a file", { rootfs: "/etc/passwd" }, "ANYPROC_ROOTFS_INVALID"],
    ["no rootfs", { rootfs: "" }, "ANYPROC_INVALID_OPTION"],
    ["a missing bind", { rootfs: "/", binds: ["/no/such:/mnt"] }, "ANYPROC_INVALID_OPTION"],
  ])("%s is named", async (_what, options, code) => {
    await expect(createProot(options)).rejects.toMatchObject({ code });
  });

  test("a relative or missing working directory is named", async () => {
    const guest = await createProot({ rootfs: "/" });
    await expect(guest.spawn({ argv: ["true"], cwd: "tmp" })).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
    await expect(guest.spawn({ argv: ["true"], cwd: "/no/such" })).rejects.toMatchObject({
      code: "ANYPROC_CWD_NOT_FOUND",
    });
  });

  test("a rootfs without the program, and a program of another architecture, are 127 and 126 with a reason", async () => {
    const rootfs = await temporaryDirectory();
    const foreign = Buffer.alloc(64);
    foreign.write("\x7fELF\x02\x01\x01", "latin1");
    foreign.writeUInt16LE(2, 16);
    foreign.writeUInt16LE(183, 18); // EM_AARCH64, elf(5)
    await writeFile(join(rootfs, "arm"), foreign, { mode: 0o755 });
    const guest = await createProot({ rootfs });
    const missing = await exec(guest, ["/bin/sh"], { reject: false });
    expect(missing).toMatchObject({ exitCode: 127, stderr: expect.stringContaining("/bin/sh") });
    const other = await exec(guest, ["/arm"], { reject: false });
    expect(other).toMatchObject({ exitCode: 126, stderr: expect.stringContaining("aarch64") });
  });
});

test("an engine that is not where the variable says is an error with a remedy", async () => {
  process.env["ANYPROC_PROOT_ENGINE"] = "/no/such/engine";
  try {
    await expect(createProot({ rootfs: "/" })).rejects.toMatchObject({
      code: "ANYPROC_ENGINE_REFUSED",
      message: expect.stringContaining("ANYPROC_PROOT_ENGINE"),
    });
  } finally {
    delete process.env["ANYPROC_PROOT_ENGINE"];
  }
});
