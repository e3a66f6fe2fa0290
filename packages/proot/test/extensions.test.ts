import { existsSync } from "node:fs";
import { mkdir, open, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AnyprocError, type Command, exec, type GuestExtension } from "@anyproc/core";
import { createProot } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { armProgram } from "./arm-program.ts";
import { engineIsMissing } from "./engine-is-missing.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const emulatorIsMissing = !process.env["CI"] && !existsSync("/usr/bin/qemu-aarch64-static");
if (emulatorIsMissing) console.warn("tests of runners are skipped: there is no qemu-aarch64-static here");

/** Binds a directory that it makes, and removes. */
function scratch(guest: string, log: string[] = []): GuestExtension {
  let host: string | undefined;
  return {
    name: `scratch:${guest}`,
    async setUp({ binds }) {
      host = await temporaryDirectory();
      log.push(`set up ${guest}`);
      return { binds: [...binds, { host, guest }] };
    },
    async release() {
      log.push(`released ${guest}`);
      if (host) await rm(host, { recursive: true });
    },
  };
}

/** This machine's programs around a directory of its own. */
const ownRootfs: GuestExtension = {
  name: "own-rootfs",
  async setUp({ binds }) {
    const rootfs = await temporaryDirectory();
    for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, join(rootfs, name));
    await mkdir(join(rootfs, "work"));
    return { rootfs, binds: [{ host: "/usr", readOnly: true }, ...binds], defaultBinds: [] };
  },
};

/** Runs programs for another processor by qemu, wherever one is started. */
const emulator: GuestExtension = {
  name: "emulator",
  setUp({ binds, runners }) {
    const program = "/.qemu-aarch64";
    return {
      binds: [...binds, { host: "/usr/bin/qemu-aarch64-static", guest: program, readOnly: true }],
      runners: [...runners, { machine: 183, program, argv0Option: "-0" }],
    };
  },
};

/** Says which commands are ELF programs, and for which machine, instead of running them. */
const fileType: GuestExtension = {
  name: "file-type",
  async resolveCommand(command, guest) {
    const program = await guest.findProgram(command);
    const machine = program && (await machineOf(program.host));
    return machine === undefined ? command : { ...command, argv: ["echo", program?.guest ?? "", String(machine)] };
  },
};

/** elf(5): e_machine lies at byte 18. */
async function machineOf(file: string): Promise<number | undefined> {
  const handle = await open(file);
  try {
    const head = Buffer.alloc(20);
    await handle.read(head, 0, head.length, 0);
    return head.toString("latin1", 0, 4) === "\x7fELF" ? head.readUInt16LE(18) : undefined;
  } finally {
    await handle.close();
  }
}

describe.skipIf(engineIsMissing)("an extension", () => {
  test("adds binds, and lets go of them when the guest is closed", async () => {
    const log: string[] = [];
    const guest = await createProot({ rootfs: "/", extensions: [scratch("/one", log), scratch("/two", log)] });
    const { stdout } = await exec(guest, ["sh", "-c", "echo made > /one/file; ls /one /two"]);
    expect(stdout).toBe("/one:\nfile\n\n/two:\n");
    await Promise.all([guest.close(), guest.close()]);
    expect(log).toEqual(["set up /one", "set up /two", "released /two", "released /one"]);
  });

  test("changes the rootfs and the default binds; a later one sees what it made", async () => {
    const seen: string[] = [];
    const witness: GuestExtension = {
      name: "witness",
      setUp({ rootfs, binds, defaultBinds }) {
        seen.push(rootfs, ...binds.map(({ host }) => host), ...defaultBinds.map(({ host }) => host));
        return undefined;
      },
    };
    const guest = await createProot({ rootfs: "/no/such", extensions: [ownRootfs, witness], binds: ["/etc/hostname"] });
    const { stdout } = await exec(guest, ["ls", "-a", "/"]);
    expect(seen.slice(1)).toEqual(["/usr", "/etc/hostname"]);
    expect(guest.name).toBe(`proot:${seen[0]}`);
    expect(stdout.split("\n")).toContain("work");
    expect(stdout.split("\n")).not.toContain("proc");
    await guest.close();
  });

  test("resolves the paths that the caller names", async () => {
    const workspace: GuestExtension = {
      name: "workspace",
      resolvePath: (path) => path.replace(/^workspace:/, "/work/"),
    };
    const guest = await createProot({ rootfs: "/", cwd: "workspace:", extensions: [ownRootfs, workspace] });
    await guest.fs?.writeFile("workspace:tool", "#!/bin/sh\necho $0 in $(pwd)\n", { mode: 0o755 });
    expect((await exec(guest, ["workspace:./tool"])).stdout).toBe("/work/./tool in /work\n");
    await guest.fs?.rename("workspace:tool", "/work/renamed");
    expect(await guest.fs?.readdir("workspace:")).toEqual(["renamed"]);
    await guest.close();
  });

  test("resolves commands, in order, and knows where their programs are", async () => {
    const programs: unknown[] = [];
    const witness: GuestExtension = {
      name: "witness",
      async resolveCommand(command, guest) {
        programs.push(await guest.findProgram(command), await guest.hostPath("/bin"));
        expect(await guest.files.readdir("/work")).toEqual([]);
        return command;
      },
    };
    const wrap = (word: string): GuestExtension => ({
      name: word,
      resolveCommand: (command): Command => ({ ...command, argv: ["env", `WORD=${word}`, ...command.argv] }),
    });
    const guest = await createProot({ rootfs: "/", extensions: [ownRootfs, witness, wrap("inner"), wrap("outer")] });
    expect((await exec(guest, ["sh", "-c", "echo $WORD"])).stdout).toBe("inner\n");
    expect(programs).toEqual([{ guest: "/usr/bin/sh", host: expect.stringMatching(/^\/usr\/bin\//) }, "/usr/bin"]);
    await guest.close();
  });

  test("decides by what the program is", async () => {
    const own = await temporaryDirectory();
    const guest = await createProot({ rootfs: "/", binds: [`${own}:/own`], extensions: [fileType] });
    expect((await exec(guest, ["true", "argument"])).stdout).toBe("/usr/bin/true 62\n");
    await writeFile(join(own, "script"), "#!/bin/sh\necho as it is\n", { mode: 0o755 });
    expect((await exec(guest, ["/own/script"])).stdout).toBe("as it is\n");
    await guest.close();
  });

  test.skipIf(emulatorIsMissing)("runs programs for another processor, and those that these start", async () => {
    const own = await temporaryDirectory();
    await writeFile(join(own, "arm"), armProgram(), { mode: 0o755 });
    await writeFile(join(own, "script"), "#!/own/arm option\n", { mode: 0o755 });
    await writeFile(join(own, "nested"), "#!/own/script\n", { mode: 0o755 });
    const guest = await createProot({ rootfs: "/", binds: [`${own}:/own`], extensions: [emulator] });
    const run = async (...argv: [string, ...string[]]): Promise<unknown[]> => {
      const { exitCode, stdout } = await exec(guest, argv, { reject: false });
      return [exitCode, ...stdout.split("\0").slice(0, -1)];
    };
    expect(await run("/own/arm", "a", "b c")).toEqual([3, "/own/arm", "a", "b c"]);
    expect(await run("sh", "-c", "PATH=$PATH:/own; arm from a shell")).toEqual([4, "arm", "from", "a", "shell"]);
    expect(await run("bash", "-c", "exec -a renamed /own/arm")).toEqual([1, "renamed"]);
    expect(await run("/own/script", "x")).toEqual([4, "/own/arm", "option", "/own/script", "x"]);
    expect(await run("/own/nested")).toEqual([4, "/own/arm", "option", "/own/script", "/own/nested"]);
    await guest.close();
  });

  test("that names a runner which is not there makes such programs 127", async () => {
    const own = await temporaryDirectory();
    await writeFile(join(own, "arm"), armProgram(), { mode: 0o755 });
    const lost: GuestExtension = { name: "lost", setUp: () => ({ runners: [{ machine: 183, program: "/no/such" }] }) };
    const guest = await createProot({ rootfs: "/", binds: [`${own}:/own`], extensions: [lost] });
    const { exitCode, stderr } = await exec(guest, ["/own/arm"], { reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 127, stderr: expect.stringContaining("/no/such") });
    await guest.close();
  });
});

describe.skipIf(engineIsMissing)("an extension that fails", () => {
  const failing = (hook: "setUp" | "resolvePath" | "resolveCommand" | "release"): GuestExtension => ({
    name: "failing",
    [hook]() {
      throw new Error("no luck");
    },
  });

  test.each(["setUp", "release", "resolvePath", "resolveCommand"] as const)("in %s is named", async (hook) => {
    const attempt = async (): Promise<void> => {
      const guest = await createProot({ rootfs: "/", extensions: [failing(hook)] });
      if (hook !== "release") await exec(guest, ["true"]);
      await guest.close();
    };
    await expect(attempt()).rejects.toMatchObject({
      code: "ANYPROC_EXTENSION_FAILED",
      message: `extension failing: ${hook} failed: no luck`,
      cause: expect.objectContaining({ message: "no luck" }),
    });
  });

  test("leaves nothing of those before it, and is not released itself", async () => {
    const log: string[] = [];
    const extensions = [
      scratch("/one", log),
      scratch("/two", log),
      { ...failing("setUp"), release: () => void log.push("never") },
    ];
    await expect(createProot({ rootfs: "/", extensions })).rejects.toMatchObject({ code: "ANYPROC_EXTENSION_FAILED" });
    expect(log).toEqual(["set up /one", "set up /two", "released /two", "released /one"]);
  });

  test("does not keep the others from being released, also when the guest cannot be made", async () => {
    const log: string[] = [];
    const extensions = [scratch("/one", log), failing("release"), scratch("/two", log)];
    const options = { rootfs: "/", extensions, binds: ["/no/such"] };
    await expect(createProot(options)).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
    expect(log).toEqual(["set up /one", "set up /two", "released /two", "released /one"]);
  });

  test("in release, several: all are told", async () => {
    const guest = await createProot({ rootfs: "/", extensions: [failing("release"), failing("release")] });
    await expect(guest.close()).rejects.toMatchObject({ errors: [expect.any(AnyprocError), expect.any(AnyprocError)] });
  });

  test.each([
    [{ rootfs: "" }, "setUp gave no rootfs"],
    [{ binds: [{ guest: "/x" }] }, "setUp gave binds that are no list"],
    [{ defaultBinds: true }, "setUp gave defaultBinds that are no list"],
    [{ runners: [{ machine: 183, program: "qemu" }] }, "setUp gave runners that are no list"],
    [{ bindings: [] }, "setUp gave bindings, which a guest does not have"],
  ])("gives %j: refused", async (changes, message) => {
    const extension = { name: "wrong", setUp: () => changes } as unknown as GuestExtension;
    await expect(createProot({ rootfs: "/", extensions: [extension] })).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
      message: expect.stringContaining(`extension wrong: ${message}`),
    });
  });

  test("gives no path: refused", async () => {
    const extension = { name: "wrong", resolvePath: () => "" };
    const guest = await createProot({ rootfs: "/", extensions: [extension] });
    await expect(guest.fs?.readFile("/etc/hostname")).rejects.toMatchObject({
      message: 'extension wrong: resolvePath("/etc/hostname") gave no path: correct the extension',
    });
  });
});
