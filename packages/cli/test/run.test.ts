import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { anyproc, startAnyproc, withTimeEnough } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const node = process.execPath;
const script = (text: string): string[] => [node, "-e", text];

describe("exit status", () => {
  test.each([0, 1, 42, 255])("%i is the program's own", async (code) => {
    expect(await anyproc(["run", "--", ...script(`process.exit(${code})`)])).toEqual({
      exitCode: code,
      stdout: "",
      stderr: "",
    });
  });

  test.each([
    ["SIGKILL", 137],
    ["SIGTERM", 143],
    ["SIGABRT", 134],
  ])("%s reads as %i", async (signal, exitCode) => {
    expect(await anyproc(["run", "--", "sh", "-c", `kill -${signal.slice(3)} $$`])).toMatchObject({ exitCode });
  });

  test("127 when there is no such program", async () => {
    expect(await anyproc(["run", "no-such-program"])).toEqual({
      exitCode: 127,
      stdout: "",
      stderr: "anyproc: no-such-program: command not found\n",
    });
  });

  test("126 when the file cannot be executed", async () => {
    const file = join(temporaryDirectory(), "data");
    writeFileSync(file, "not a program\n");
    expect(await anyproc(["run", file])).toMatchObject({
      exitCode: 126,
      stderr: `anyproc: ${file}: found, but not executable: nobody may execute it: chmod +x ${file}\n`,
    });
  });

  test("124 when the time was over, and the program is gone", async () => {
    const program = ["sh", "-c", "echo $$; exec sleep 1000"];
    const { exitCode, stdout } = await withTimeEnough((seconds) => anyproc(["run", "--timeout", seconds, ...program]));
    expect(exitCode).toBe(124);
    expect(() => process.kill(Number(stdout), 0)).toThrow("ESRCH");
  });

  test("124 too when it took SIGKILL to end it", async () => {
    const stubborn = "trap '' TERM; while :; do sleep 0.1; done";
    const { exitCode } = await anyproc(["run", "--timeout", "0.5", "--kill-after", "0.1", "sh", "-c", stubborn]);
    expect(exitCode).toBe(124);
  });
});

describe("command line", () => {
  const printArguments = script("console.log(JSON.stringify(process.argv.slice(1)))");

  test("options end at the command's first word", async () => {
    const { stdout } = await anyproc(["run", ...printArguments, "--", "--json", "-e", "--on", "docker", "--help"]);
    expect(JSON.parse(stdout)).toEqual(["--json", "-e", "--on", "docker", "--help"]);
  });

  test("options end at --", async () => {
    const { stdout } = await anyproc(["run", "--", ...printArguments, "x", "--", "y"]);
    expect(JSON.parse(stdout)).toEqual(["x", "--", "y"]);
  });

  test("no shell touches the arguments", async () => {
    const awkward = ["$HOME", "a b", "'\"", "*", "", "ü\n"];
    const { stdout } = await anyproc(["run", ...printArguments, ...awkward]);
    expect(JSON.parse(stdout)).toEqual(awkward);
  });

  test("short options can be joined, and take their value at once", async () => {
    const { stdout } = await anyproc(["run", "-ieA=1", "-w/", ...script("console.log(process.env.A, process.cwd())")]);
    expect(stdout).toBe("1 /\n");
  });

  test("global options come before the subcommand or after it", async () => {
    for (const args of [
      ["--json", "run", "true"],
      ["run", "--json", "true"],
    ]) {
      expect(JSON.parse((await anyproc(args)).stdout)).toMatchObject({ exitCode: 0 });
    }
  });
});

describe("variables", () => {
  const printVariables = script("const { A, B, C } = process.env; console.log(JSON.stringify({ A, B, C }))");

  test("-e sets one, to anything; the last one counts", async () => {
    const { stdout } = await anyproc(["run", "-e", "A=1", "-e", "A=x=y z", "--env=B=", ...printVariables]);
    expect(JSON.parse(stdout)).toEqual({ A: "x=y z", B: "" });
  });

  test("-e with a name passes the one from here, if it is set", async () => {
    const outcome = await anyproc(["run", "--json", "-e", "A", "-e", "C", ...printVariables], {
      env: { A: "here", C: undefined },
    });
    expect(JSON.parse(JSON.parse(outcome.stdout).stdout)).toEqual({ A: "here" });
  });

  test("-e wins over --env-file, and a later file over an earlier one", async () => {
    const directory = temporaryDirectory();
    const [first, second] = [join(directory, "first"), join(directory, "second")];
    writeFileSync(first, "# comment\n\nA=1\nB=1\nC=1\n");
    writeFileSync(second, "B=2\nC=2\n");
    const { stdout } = await anyproc([
      "run",
      "-e",
      "C=3",
      "--env-file",
      first,
      "--env-file",
      second,
      ...printVariables,
    ]);
    expect(JSON.parse(stdout)).toEqual({ A: "1", B: "2", C: "3" });
  });
});

describe("streams", () => {
  test("stdin reaches the program, with and without -i", async () => {
    for (const flags of [[], ["-i"]]) {
      expect(await anyproc(["run", ...flags, "cat"], { input: "hello\n" })).toMatchObject({ stdout: "hello\n" });
    }
  });

  test("the program holds anyproc's own streams, not copies", async () => {
    const links = "readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2";
    const own = links.replaceAll("self", "$PPID");
    const { stdout } = await anyproc(["run", "sh", "-c", `${links}; ${own}`]);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines.slice(0, 3)).toEqual(lines.slice(3));
  });

  test("--json gives one document with everything", async () => {
    const { exitCode, stdout, stderr } = await anyproc(["run", "--json", "sh", "-c", "cat; echo oops >&2; exit 3"], {
      input: "in",
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toEqual({
      command: ["sh", "-c", "cat; echo oops >&2; exit 3"],
      environment: "host",
      exitCode: 3,
      signal: null,
      stdout: "in",
      stderr: "oops\n",
      durationMs: expect.any(Number),
      timedOut: false,
    });
  });

  test("--json tells a signal and a timeout", async () => {
    const killed = await anyproc(["run", "--json", "sh", "-c", "kill -KILL $$"]);
    expect(JSON.parse(killed.stdout)).toMatchObject({ exitCode: 137, signal: "SIGKILL", timedOut: false });
    const late = await anyproc(["run", "--json", "--timeout", "0.5", "--kill-after", "120", "sleep", "1000"]);
    expect(JSON.parse(late.stdout)).toMatchObject({ exitCode: 124, signal: "SIGTERM", timedOut: true });
    expect(late.exitCode).toBe(124);
  });

  test("--verbose speaks on stderr only", async () => {
    expect(await anyproc(["run", "--verbose", "--", "echo", "a b"])).toEqual({
      exitCode: 0,
      stdout: "a b\n",
      stderr: "anyproc: host: running echo 'a b'\nanyproc: host: exited with 0\n",
    });
  });
});

describe("signals", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("%s reaches the program, and anyproc ends as it does", async (signal, exitCode) => {
    const child = startAnyproc(["run", "sh", "-c", "echo ready; exec sleep 1000"]);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    child.kill(signal);
    await once(child, "exit");
    expect(child.exitCode).toBe(exitCode);
  });

  test("--json has a document of it too, and leaves no program behind", async () => {
    const fifo = join(temporaryDirectory(), "pid");
    execFileSync("mkfifo", [fifo]);
    const child = startAnyproc(["run", "--json", "sh", "-c", `echo $$ >${fifo}; exec sleep 1000`]);
    const pid = Number(await readFile(fifo, "utf8"));
    child.kill("SIGTERM");
    const document = JSON.parse(await text(child.stdout as Readable)) as object;
    expect(document).toMatchObject({ exitCode: 143, signal: "SIGTERM" });
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  test("a program that handles it decides the exit status", async () => {
    const child = startAnyproc([
      "run",
      ...script("process.on('SIGTERM', () => process.exit(5)); console.log('ready'); setInterval(() => {}, 1000)"),
    ]);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    child.kill("SIGTERM");
    await once(child, "exit");
    expect(child.exitCode).toBe(5);
  });
});

test("-w is where the program starts", async () => {
  const directory = temporaryDirectory();
  expect(await anyproc(["run", "-w", directory, "pwd"])).toMatchObject({ stdout: `${directory}\n` });
});

describe.runIf(process.getuid?.() === 0)("as root", () => {
  test("-u takes numbers and names", async () => {
    for (const [user, expected] of [
      ["1234:5678", "1234:5678"],
      ["1234", "1234:"],
      ["nobody", "65534:65534"],
    ] as const) {
      const { stdout } = await anyproc(["run", "-u", user, "sh", "-c", "echo $(id -u):$(id -g)"]);
      expect(stdout).toMatch(expected);
    }
  });

  test("--chroot changes the program's root", async () => {
    const { exitCode, stderr } = await anyproc(["run", "--chroot", temporaryDirectory(), "sh"]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 127 });
  });
});
