import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { diagnose } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { anyproc, startAnyproc, withTimeEnough } from "./support/anyproc.ts";
import { foreignProgram } from "./support/foreign-program.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const { ok, checks } = await diagnose();
if (!ok) {
  const reason = JSON.stringify(checks.filter((check) => !check.ok));
  if (process.env["CI"]) throw new Error(`proot cannot run here: ${reason}`);
  console.log(`Skipped: proot cannot run here: ${reason}`);
}

/** A root filesystem that holds nothing, and the binds that put this machine's programs into it. */
function guest(): { rootfs: string; args: string[] } {
  const rootfs = temporaryDirectory();
  const programs = ["/usr", "/bin", "/lib", "/lib64"].filter((path) => existsSync(path));
  return { rootfs, args: ["--rootfs", rootfs, ...programs.flatMap((path) => ["-b", path])] };
}

describe.runIf(ok)("run on proot", () => {
  test("the guest is in the rootfs, and root", async () => {
    const { rootfs, args } = guest();
    writeFileSync(join(rootfs, "here"), "");
    const script = "pwd; test -e /here && id -u; echo made > /made";
    expect(await anyproc(["run", ...args, "sh", "-c", script])).toEqual({ exitCode: 0, stdout: "/\n0\n", stderr: "" });
    expect(readFileSync(join(rootfs, "made"), "utf8")).toBe("made\n");
  });

  test.each([
    [["-0"], "0:0"],
    [["--root-id"], "0:0"],
    [["--id", "12:34"], "12:34"],
    [["-u", "56:78"], "56:78"],
  ])("%j decides the identity", async (flags, expected) => {
    const { stdout } = await anyproc(["run", ...guest().args, ...flags, "sh", "-c", "echo $(id -u):$(id -g)"]);
    expect(stdout).toBe(`${expected}\n`);
  });

  test("variables start from a clean set, -e adds to it", async () => {
    const { stdout } = await anyproc(["run", ...guest().args, "-e", "A=1", "-e", "SECRET", "env"], {
      env: { SECRET: "told", OTHER: "not told" },
    });
    const names = stdout.split("\n").map((line) => line.split("=")[0]);
    expect(names).toEqual(expect.arrayContaining(["PATH", "HOME", "TERM", "LANG", "A", "SECRET"]));
    expect(names).not.toContain("OTHER");
  });

  test("-b shows a host path, relative ones from here, read-only with :ro", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "from the host\n");
    const script = "cat /mnt/file; echo no > /mnt/file";
    const { args } = guest();
    const outcome = await anyproc(["run", ...args, "-b", "./:/mnt:ro", "sh", "-c", script], { cwd: directory });
    expect(outcome.stdout).toBe("from the host\n");
    expect(outcome.stderr).toMatch(/Read-only file system/i);
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("from the host\n");
  });

  test("-b with GUEST! covers a link, and not what it leads to", async () => {
    const { rootfs, args } = guest();
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "from the host\n");
    writeFileSync(join(rootfs, "target"), "untouched\n");
    symlinkSync("target", join(rootfs, "link"));
    const outcome = await anyproc(["run", ...args, "-b", `${directory}/file:/link!:ro`, "cat", "/link", "/target"]);
    expect(outcome).toEqual({ exitCode: 0, stdout: "from the host\nuntouched\n", stderr: "" });
  });

  test("-R shows the host's accounts and home, and keeps the identity", async () => {
    const { rootfs } = guest();
    const binds = ["/usr", "/bin", "/lib", "/lib64"].filter((path) => existsSync(path)).flatMap((path) => ["-b", path]);
    const script = `id -u; cmp /etc/passwd ${rootfs}/../../etc/passwd 2>/dev/null; cat /etc/passwd | wc -c; ls -d ~+ "$0"`;
    const { stdout } = await anyproc(["run", "-R", rootfs, ...binds, "sh", "-c", script, homedir()]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(String(process.getuid?.()));
    expect(Number(lines[1])).toBe(readFileSync("/etc/passwd").length);
    expect(lines).toContain(homedir());
  });

  test("-S makes a root of whoever calls, and keeps the rootfs's accounts", async () => {
    const { rootfs } = guest();
    mkdirSync(join(rootfs, "etc"));
    writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    const binds = ["/usr", "/bin", "/lib", "/lib64"].filter((path) => existsSync(path)).flatMap((path) => ["-b", path]);
    const { stdout } = await anyproc(["run", "-S", rootfs, ...binds, "sh", "-c", "id -u; cat /etc/passwd"]);
    expect(stdout).toBe("0\nroot:x:0:0::/root:/bin/sh\n");
  });

  test("exit statuses are those of the host", async () => {
    const { rootfs, args } = guest();
    writeFileSync(join(rootfs, "data"), "not a program\n");
    writeFileSync(join(rootfs, "foreign"), foreignProgram());
    chmodSync(join(rootfs, "foreign"), 0o755);
    for (const [command, exitCode] of [
      [["sh", "-c", "exit 42"], 42],
      [["sh", "-c", "kill -KILL $$"], 137],
      [["no-such-program"], 127],
      [["/no/such/program"], 127],
      [["/data"], 126],
      [["/foreign"], 126],
      [["/usr"], 126],
    ] as const) {
      expect({ command, exitCode: (await anyproc(["run", ...args, ...command])).exitCode }).toEqual({
        command,
        exitCode,
      });
    }
  });

  test("127 when the rootfs has no programs at all", async () => {
    const { exitCode, stderr } = await anyproc(["run", "--rootfs", temporaryDirectory(), "/bin/sh"]);
    expect(exitCode).toBe(127);
    expect(stderr).toMatch(/no such program in the guest .*\/bin\/sh: /);
  });

  test("a dangling link is not found either", async () => {
    const { rootfs, args } = guest();
    symlinkSync("/nowhere", join(rootfs, "link"));
    expect(await anyproc(["run", ...args, "/link"])).toMatchObject({ exitCode: 127 });
  });

  test.each([
    [
      "there is no such directory",
      (directory: string) => ["-r", join(directory, "none"), "true"],
      /rootfs .*none: there is no such directory/,
    ],
    ["a file for a rootfs", (directory: string) => ["-r", join(directory, "file"), "true"], /rootfs .*file: is a file/],
    [
      "a bind of nothing",
      (directory: string) => ["-r", directory, "-b", "/no/such:/mnt", "true"],
      /bind \/no\/such: there is nothing .* make it optional \(\/no\/such:\/mnt:optional\)/,
    ],
    [
      "a bind with too many parts",
      (directory: string) => ["-r", directory, "-b", "/etc:/mnt:rw:x", "true"],
      /bind "\/etc:\/mnt:rw:x"/,
    ],
    [
      "a relative working directory",
      (directory: string) => ["-r", directory, "-w", "src", "true"],
      /cwd src: give an absolute path/,
    ],
  ])("125 for %s", async (_what, args, message) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    const { exitCode, stderr } = await anyproc(["run", ...args(directory)]);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(125);
  });

  test("--json names the environment", async () => {
    const { rootfs, args } = guest();
    const { stdout } = await anyproc(["run", "--json", ...args, "echo", "hi"]);
    expect(JSON.parse(stdout)).toMatchObject({ environment: `proot:${rootfs}`, exitCode: 0, stdout: "hi\n" });
  });

  // A number that no kernel has, and acct(2) on x86-64.
  const calls = "import ctypes; libc = ctypes.CDLL(None); libc.syscall(999); libc.syscall(163, 0)";

  test("--verbose tells what is refused, --no-strict passes on what is not known", async () => {
    const program = ["python3", "-c", calls];
    const silent = await anyproc(["run", ...guest().args, ...program]);
    expect(silent).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const strict = await anyproc(["run", "--verbose", "--strict", ...guest().args, ...program]);
    expect(strict.stderr).toMatch(
      /python3\S* \(pid \d+\): system call 999, which the engine does not know: refused with ENOSYS\n.*acct \(163\): refused with EPERM\n/,
    );
    const lenient = await anyproc(["run", "--verbose", "--no-strict", ...guest().args, ...program]);
    expect(lenient.stderr).toContain("999, which the engine does not know: passed on to the kernel\n");
  });

  test("--verbose --json has it in the document", async () => {
    const { stdout } = await anyproc(["run", "--verbose", "--json", ...guest().args, "python3", "-c", calls]);
    expect(JSON.parse(stdout)).toMatchObject({
      refusedCalls: [
        { number: 999, error: "ENOSYS" },
        { call: "acct", number: 163, error: "EPERM" },
      ],
    });
  });

  test("a bind may be optional", async () => {
    const outcome = await anyproc(["run", ...guest().args, "-b", "/no/such::optional", "echo", "runs"]);
    expect(outcome).toEqual({ exitCode: 0, stdout: "runs\n", stderr: "" });
  });

  test("-t gives the guest a terminal", async () => {
    const { exitCode, stdout } = await anyproc(["run", ...guest().args, "-t", "sh", "-c", "test -t 0 && stty size"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "24 80\r\n" });
  });

  test("--timeout ends every guest process", async () => {
    // sleep holds anyproc's stdout, so that this waits until it is gone.
    const { exitCode, stdout } = await withTimeEnough((seconds) =>
      anyproc([
        ...["run", ...guest().args, "--timeout", seconds, "--kill-after", "0.5", "--no-kill-on-exit"],
        ...["sh", "-c", "sleep 1000 & echo started; wait"],
      ]),
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: "started\n" });
  });

  test("what is left running ends with the command, unless --no-kill-on-exit waits for it", async () => {
    const script = (seconds: number): string => `(trap '' HUP; sleep ${seconds}; echo late) & echo early`;
    const ended = await anyproc(["run", ...guest().args, "sh", "-c", script(1000)]);
    expect(ended.stdout).toBe("early\n");
    const waited = await anyproc(["run", ...guest().args, "--no-kill-on-exit", "sh", "-c", script(1)]);
    expect(waited.stdout).toBe("early\nlate\n");
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s reaches the guest", async (signal) => {
    const script = `trap 'echo got it; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`;
    const child = startAnyproc(["run", ...guest().args, "sh", "-c", script]);
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output === "ready\n") child.kill(signal);
    });
    await once(child, "close");
    expect({ output, exitCode: child.exitCode }).toEqual({ output: "ready\ngot it\n", exitCode: 5 });
  });

  test("the guest does not outlive anyproc, even when that is killed", async () => {
    const child = startAnyproc(["run", ...guest().args, "sh", "-c", "echo started; exec sleep 1000"]);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    child.stdout?.resume();
    child.kill("SIGKILL");
    // The guest holds the other end of stdout, so that this waits until it is gone.
    await once(child, "close");
    expect(child.signalCode).toBe("SIGKILL");
  });
});
