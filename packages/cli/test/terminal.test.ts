import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { anyproc, anyprocArgv } from "./support/anyproc.ts";
import { openTerminal, type Terminal } from "./support/terminal.ts";

const node = process.execPath;
const stty = (terminal: string, ...args: string[]): string =>
  execFileSync("stty", ["-F", terminal, ...args], { encoding: "utf8" });

/** Runs anyproc in a shell on a terminal, which says the terminal's name first, and how it went last. */
async function inShell(...args: string[]): Promise<{ terminal: Terminal; name: string }> {
  // The shell is in the foreground group as well, and must outlive a Ctrl-C to tell the status.
  const script = 'trap : INT; tty; "$@"; echo "[status $?]"';
  const terminal = await openTerminal(["sh", "-c", script, "sh", ...anyprocArgv, ...args]);
  const [, name = ""] = await terminal.waitFor(/(\/dev\/\S+)\r\n/);
  return { terminal, name };
}

describe.skipIf(process.platform === "win32")("with -t", () => {
  const ready = ["sh", "-c", "echo ready; exec sleep 1000"];

  test("keys go to the program as they are typed", async () => {
    const { terminal, name } = await inShell(
      "run",
      "-t",
      "sh",
      "-c",
      "stty raw -echo; echo ready; head -c 3 | od -An -tx1",
    );
    await terminal.waitFor(/ready/);
    expect(stty(name, "-a")).toMatch(/-opost.*-icanon.*-echo /s);
    terminal.type("\x03\x1aq");
    await terminal.waitFor(/03 1a 71/);
    await terminal.waitFor(/\[status 0\]/);
  });

  test("Ctrl-C is the program's", async () => {
    const { terminal } = await inShell("run", "-t", ...ready);
    await terminal.waitFor(/ready/);
    terminal.type("\x03");
    await terminal.waitFor(/\[status 130\]/);
  });

  test("the program has the local terminal's size, and follows it", async () => {
    const show = "const show = () => console.log(process.stdout.getWindowSize().join('x')); show();";
    const { terminal } = await inShell(
      "run",
      "-t",
      node,
      "-e",
      `${show} process.stdout.on('resize', show); process.stdin.resume()`,
    );
    await terminal.waitFor(/80x24/);
    terminal.process.resize({ columns: 100, rows: 30 });
    await terminal.waitFor(/100x30/);
    terminal.type("\x04");
    await terminal.waitFor(/\[status 0\]/);
  });

  test.each([
    ["the program exits", ["true"], 0],
    ["the program cannot be found", ["no-such-program"], 127],
    ["it never starts", ["-w", "/no/such/directory", "true"], 125],
  ])("the terminal is as it was when %s", async (_when, args, status) => {
    const script = 'before=$(stty -g); "$@"; echo "[status $?]"; test "$before" = "$(stty -g)" && echo restored';
    const terminal = await openTerminal(["sh", "-c", script, "sh", ...anyprocArgv, "run", "-t", ...args]);
    await terminal.waitFor(new RegExp(`\\[status ${status}\\]\r\n`));
    await terminal.waitFor(/restored/);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGINT", 130],
  ] as const)("the terminal is as it was when %s ends it", async (signal, status) => {
    const { terminal, name } = await inShell(
      "--verbose",
      "run",
      "-t",
      "sh",
      "-c",
      "echo parent $PPID; exec sleep 1000",
    );
    const [, parent] = await terminal.waitFor(/parent (\d+)/);
    expect(stty(name, "-a")).toContain("-icanon");
    process.kill(Number(parent), signal);
    await terminal.waitFor(new RegExp(`\\[status ${status}\\]`));
    expect(stty(name, "-a")).toMatch(/ icanon/);
  });

  test("the terminal is as it was when anyproc itself breaks down", async () => {
    const breakDown = "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('boom')})";
    const script = 'tty; "$@"; echo "[status $?]"';
    const argv = [node, "--import", breakDown, ...anyprocArgv.slice(1), "run", "-t", "sh", "-c"];
    const terminal = await openTerminal(["sh", "-c", script, "sh", ...argv, "echo parent $PPID; exec sleep 1000"]);
    const [, name = ""] = await terminal.waitFor(/(\/dev\/\S+)\r\n/);
    const [, parent] = await terminal.waitFor(/parent (\d+)/);
    process.kill(Number(parent), "SIGUSR2");
    await terminal.waitFor(/anyproc: internal error: Error: boom/);
    await terminal.waitFor(/\[status 125\]/);
    expect(stty(name, "-a")).toMatch(/ icanon/);
  });

  test("a stop from outside hands the terminal back until it goes on", async () => {
    const { terminal, name } = await inShell("run", "-t", "sh", "-c", "echo parent $PPID; exec cat");
    const [, parent] = await terminal.waitFor(/parent (\d+)/);
    process.kill(Number(parent), "SIGTSTP");
    await expect.poll(() => stty(name, "-a"), { timeout: 60_000 }).toMatch(/ icanon/);
    process.kill(Number(parent), "SIGCONT");
    await expect.poll(() => stty(name, "-a"), { timeout: 60_000 }).toContain("-icanon");
    terminal.type("on\r");
    await terminal.waitFor(/on\r\non\r\n/);
    terminal.type("\x04");
    await terminal.waitFor(/\[status 0\]/);
  });

  test("without a local terminal, the program still has one", async () => {
    const { exitCode, stdout } = await anyproc(["run", "-t", "sh", "-c", "test -t 0 && test -t 1 && tr a-z A-Z"], {
      input: "hello\n",
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "hello\r\nHELLO\r\n" });
  });
});

describe.skipIf(process.platform === "win32")("without -t", () => {
  test("the terminal is the user's own", async () => {
    const { terminal, name } = await inShell("run", "tty");
    const [, inner] = await terminal.waitFor(/(\/dev\/\S+)\r\n/);
    expect(inner).toBe(name);
  });

  test("Ctrl-C reaches the program once", async () => {
    const count = "let n = 0; process.on('SIGINT', () => console.log('interrupt ' + ++n));";
    const untilLine = "process.stdin.once('data', () => { console.log('total ' + n); process.exit() });";
    const { terminal } = await inShell("run", node, "-e", `${count} ${untilLine} console.log('ready')`);
    await terminal.waitFor(/ready/);
    terminal.type("\x03");
    await terminal.waitFor(/interrupt 1/);
    terminal.type("\x03");
    await terminal.waitFor(/interrupt 2/);
    terminal.type("\n");
    await terminal.waitFor(/total 2/);
    await terminal.waitFor(/\[status 0\]/);
  });

  test("Ctrl-Z stops the program with anyproc, and fg continues both", async () => {
    // A line editor switches the terminal's mode back and forth, and loses keys that are typed meanwhile.
    const terminal = await openTerminal(["bash", "--norc", "--noprofile", "--noediting", "-i"]);
    terminal.type(`${anyprocArgv.join(" ")} run sh -c 'echo ready; exec cat'\r`);
    await terminal.waitFor(/ready\r\n/);
    terminal.type("\x1a");
    await terminal.waitFor(/Stopped.*exec cat'\r\n/);
    terminal.type("fg\r");
    await terminal.waitFor(/exec cat'\r\n/);
    terminal.type("hello\r");
    await terminal.waitFor(/hello\r\nhello\r\n/);
    terminal.type("\x04");
    terminal.type("exit 0\r");
    expect(await terminal.wait()).toMatchObject({ code: 0 });
  });
});
