import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anyproc, anyprocArgv } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

describe("anyproc's own failures: exit status 125, one sentence that names the object and the remedy", () => {
  test.each([
    [[], "Usage: anyproc [options] COMMAND"],
    [["bogus"], "anyproc: unknown command 'bogus': see `anyproc --help`"],
    [["rum"], "anyproc: unknown command 'rum': did you mean run?"],
    [["--vers"], "anyproc: unknown option '--vers': did you mean --version?"],
    [["rum", "--help"], "anyproc: unknown command 'rum': did you mean run?"],
    [["--quiet", "rum", "-h"], "anyproc: unknown command 'rum': did you mean run?"],
    [["run", "--tim", "5", "true"], "anyproc: run: unknown option '--tim': did you mean --timeout?"],
    [["run", "--t", "true"], "anyproc: run: unknown option '--t': did you mean --timeout or --tty?"],
    [["help", "bogus"], "anyproc: unknown command 'bogus': see `anyproc --help`"],
    [["help", "rum"], "anyproc: unknown command 'rum': did you mean run?"],
    [["run"], "anyproc: run: missing required argument 'command': see `anyproc run --help`"],
    [["run", ""], "anyproc: the program's name is empty: argv[0] must name a program"],
    [["run", "--rotfs", "x", "true"], "anyproc: run: unknown option '--rotfs': did you mean --rootfs?"],
    [["run", "--overlay", "true"], "anyproc: run: unknown option '--overlay': see `anyproc run --help`"],
    [["run", "-k", "6.1", "true"], "anyproc: run: unknown option '-k': see `anyproc run --help`"],
    [["run", "-w"], "anyproc: run: option '-w, --workdir <dir>' argument missing: see `anyproc run --help`"],
    [
      ["run", "--on", "mars", "true"],
      "anyproc: --on mars: there is no such environment: choose host, docker, ssh, proot",
    ],
    [["run", "--host", "a:b:", "true"], 'anyproc: "a:b:" names no SSH server: write [user@]host[:port]'],
    [["run", "--on", "proot", "true"], "anyproc: proot: no root filesystem: name its directory with --rootfs DIR"],
    [
      ["run", "--on", "host", "--rootfs", "/x", "true"],
      "anyproc: --on host is for host, but --rootfs is for proot: leave one of them out",
    ],
    [
      ["run", "--chroot", "/", "--no-kill-on-exit", "true"],
      "anyproc: --chroot is for host, but --no-kill-on-exit is for proot: leave one of them out",
    ],
    [
      ["run", "-R", "/x", "-S", "/y", "true"],
      "anyproc: -R and -S both name the root filesystem: leave one of them out",
    ],
    [
      ["run", "-r", "/", "-0", "--id", "1:1", "true"],
      "anyproc: --id and --root-id both name the identity: leave one of them out",
    ],
    [["run", "-r", "/", "--id", "me", "true"], "anyproc: --id me: give two numbers, as in --id 1000:1000"],
    [
      ["run", "--timeout", "soon", "true"],
      "anyproc: --timeout soon: give seconds from 0 to 2147483, such as 30 or 0.5",
    ],
    [["run", "--timeout", "-1", "true"], "anyproc: --timeout -1: give seconds from 0 to 2147483, such as 30 or 0.5"],
    [
      ["run", "--kill-after", "1e9", "true"],
      "anyproc: --kill-after 1e9: give seconds from 0 to 2147483, such as 30 or 0.5",
    ],
    [["run", "-e", "=x", "true"], 'anyproc: --env =x: there is no name before the "=": write NAME=VALUE, or NAME'],
    [["run", "-u", "1:x", "true"], "anyproc: --user 1:x: give UID, UID:GID or a user's name"],
    [
      ["run", "-w", "/no/such", "true"],
      "anyproc: /no/such: no such directory to run true in: create it, or change cwd",
    ],
    [
      ["run", "--json", "-t", "true"],
      "anyproc: --json keeps the output for a document, --tty shows it on a terminal: leave one of them out",
    ],
    [
      ["run", "--quiet", "--verbose", "true"],
      "anyproc: run: option '--quiet' cannot be used with option '--verbose': see `anyproc run --help`",
    ],
    [
      ["doctor", "me"],
      "anyproc: doctor: too many arguments for 'doctor'. Expected 0 arguments but got 1: see `anyproc doctor --help`",
    ],
    [["completion"], "anyproc: completion: missing required argument 'shell': see `anyproc completion --help`"],
    [
      ["completion", "tcsh"],
      "anyproc: completion: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish: see `anyproc completion --help`",
    ],
  ])("%j", async (args, message) => {
    const { exitCode, stderr } = await anyproc(args);
    expect(stderr.split("\n")[0]).toBe(message);
    expect(exitCode).toBe(125);
  });

  test("a variables file that cannot be read is named", async () => {
    const file = join(temporaryDirectory(), "none");
    expect(await anyproc(["run", "--env-file", file, "true"])).toEqual({
      exitCode: 125,
      stdout: "",
      stderr: `anyproc: --env-file ${file}: cannot be read (ENOENT: no such file or directory): name a readable file of NAME=VALUE lines\n`,
    });
  });

  test("a bad line of a variables file is named by its number", async () => {
    const file = join(temporaryDirectory(), "env");
    writeFileSync(file, "A=1\n\nB C=2\n");
    expect(await anyproc(["run", "--env-file", file, "true"])).toMatchObject({
      exitCode: 125,
      stderr: `anyproc: --env-file ${file}: line 3: "B C" holds white space: write NAME=VALUE\n`,
    });
  });

  test.runIf(existsSync("/dev/full")).each([[["doctor"]], [["doctor", "--json"]], [["--help"]]])(
    "output that cannot be written is said so: %j",
    (args) => {
      const full = openSync("/dev/full", "w");
      const [file, ...rest] = anyprocArgv;
      const { status, stderr } = spawnSync(file, [...rest, ...args], { stdio: ["ignore", full, "pipe"] });
      closeSync(full);
      expect(String(stderr)).toBe(
        "anyproc: standard output cannot be written: ENOSPC: no space left on device, write: send it somewhere else\n",
      );
      expect(status).toBe(125);
    },
  );

  test("with --json it is a document too", async () => {
    const { exitCode, stdout, stderr } = await anyproc(["run", "--json", "--on", "mars", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^anyproc: --on mars: /);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: "ANYPROC_INVALID_OPTION", message: expect.stringMatching(/^--on mars: /) },
    });
  });

  test("too much output for a JSON document is said so", async () => {
    const flood =
      "const chunk = Buffer.alloc(1 << 20, 97); const write = () => process.stdout.write(chunk, write); write()";
    const { exitCode, stderr } = await anyproc(["run", "--json", process.execPath, "-e", flood]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(
      /more than 104857600 bytes of output, too much for one JSON document: run it without --json\n$/,
    );
  });

  test.runIf(process.getuid?.() === 0)("a root directory that is not there is named", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "there"));
    const { exitCode, stderr } = await anyproc(["run", "--chroot", join(directory, "not-there"), "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(`${directory}/not-there: no such directory`);
  });
});
