import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SshServer, sshServerMissing, startSshServer } from "../../../tools/services/ssh.ts";
import { parsePlace } from "../src/copy/place.ts";
import { anyproc, anyprocArgv, type Outcome } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { openTerminal } from "./support/terminal.ts";

const missing = sshServerMissing();
if (missing) console.warn(`tests against a real server are skipped: ${missing}`);

describe.skipIf(missing)("anyproc and another machine", () => {
  let server: SshServer;
  let home: string;
  beforeAll(async () => {
    server = await startSshServer();
    home = server.directory;
  });
  afterAll(() => server.stop());

  const where = (): string[] => ["--identity", server.privateKey, "--known-hosts", server.knownHosts];
  const host = (): string[] => ["--host", `${server.user}@127.0.0.1:${server.port}`, ...where()];
  const url = (path: string): string => `ssh://${server.user}@127.0.0.1:${server.port}${path}`;
  const runThere = (args: readonly string[], input?: string): Promise<Outcome> =>
    anyproc(["run", ...host(), ...args], { env: { HOME: home }, ...(input !== undefined && { input }) });

  test("run passes arguments, streams, variables, directory and exit code", async () => {
    const script = 'cat; echo "$COLOR $PWD $1"; echo err >&2; exit 7';
    const outcome = await runThere(["-e", "COLOR=red", "-w", "/", "--", "sh", "-c", script, "sh", "a  'b'"], "in\n");
    expect(outcome).toEqual({ exitCode: 7, stdout: "in\nred / a  'b'\n", stderr: "err\n" });
  });

  test("run tells of signals, missing programs and time that is over", async () => {
    expect((await runThere(["sh", "-c", "kill -TERM $$"])).exitCode).toBe(143);
    expect((await runThere(["no-such-program"])).exitCode).toBe(127);
    expect((await runThere(["--timeout", "0.2", "sleep", "1000"])).exitCode).toBe(124);
  });

  test("run prints a document with --json", async () => {
    const { stdout } = await runThere(["--json", "cat"], "from here");
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 0, stdout: "from here" });
  });

  test("run takes the password from a variable, and says when there is none", async () => {
    const args = ["run", "--host", `${server.user}@127.0.0.1:${server.port}`, "--known-hosts", server.knownHosts];
    const without = await anyproc([...args, "--password-env", "NO_SUCH", "true"]);
    expect([without.exitCode, without.stderr]).toEqual([
      125,
      "anyproc: --password-env NO_SUCH: there is no such variable: set it to the password\n",
    ]);
    const env = { HOME: home, SECRET: server.password };
    expect((await anyproc([...args, "--password-env", "SECRET", "echo", "in"], { env })).stdout).toBe("in\n");
  });

  test("run refuses a machine that is not known, until it is told to accept it", async () => {
    const knownHosts = join(temporaryDirectory(), "known_hosts");
    const args = ["run", "--host", `${server.user}@127.0.0.1:${server.port}`, "--identity", server.privateKey];
    const refused = await anyproc([...args, "--known-hosts", knownHosts, "true"], { env: { HOME: home } });
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toMatch(/^anyproc: .*the host is not known.*SHA256:/);
    const accepted = await anyproc([...args, "--known-hosts", knownHosts, "--accept-new", "true"], {
      env: { HOME: home },
    });
    expect(accepted.exitCode).toBe(0);
    expect(readFileSync(knownHosts, "utf8")).toContain("127.0.0.1");
  });

  test("run -it is a terminal as with ssh", async () => {
    const script =
      'echo "size $(stty size)"; trap "exit 9" INT; read line; echo "got $line"; while :; do sleep 0.05; done';
    const [program, ...rest] = anyprocArgv;
    const terminal = await openTerminal([program, ...rest, "run", ...host(), "-it", "--", "sh", "-c", script], {
      columns: 97,
      rows: 33,
    });
    await terminal.waitFor(/size 33 97/);
    terminal.type("hello\r");
    await terminal.waitFor(/got hello/);
    terminal.type("\x03");
    expect((await terminal.process.wait()).exitCode).toBe(9);
  });

  test("a person at a terminal is asked about the host, and for the password", async () => {
    const knownHosts = join(temporaryDirectory(), "known_hosts");
    const terminal = await openTerminal([
      ...anyprocArgv,
      ...["run", "--host", `${server.user}@127.0.0.1:${server.port}`, "--known-hosts", knownHosts],
      ...["--", "sh", "-c", "tty || echo entered"],
    ]);
    await terminal.waitFor(/is not known yet. It presents \S+ SHA256:/);
    terminal.type("perhaps\r");
    await terminal.waitFor(/Type yes or no: /);
    terminal.type("yes\r");
    await terminal.waitFor(/password for .*: /);
    terminal.type("not-the-password\r");
    await terminal.waitFor(/password for .*: /);
    terminal.type(`${server.password}\r`);
    await terminal.waitFor(/entered/);
    expect(await terminal.wait()).toMatchObject({ exitCode: 0 });
    expect(terminal.shown()).not.toContain("not-the-password");
    expect(terminal.shown()).not.toContain(server.password);
    expect(readFileSync(knownHosts, "utf8")).toContain("127.0.0.1");
  });

  test("a person at a terminal is asked for a jump host's password too, and then for the machine's", async () => {
    const machine = `${server.user}@127.0.0.1:${server.port}`;
    const terminal = await openTerminal([
      ...anyprocArgv,
      ...["run", "--host", machine, "--jump", machine, "--known-hosts", server.knownHosts, "--", "echo", "entered"],
    ]);
    for (const password of [server.password, server.password]) {
      await terminal.waitFor(/password for .*: /);
      terminal.type(`${password}\r`);
    }
    await terminal.waitFor(/entered/);
    expect(await terminal.wait()).toMatchObject({ exitCode: 0 });
    expect(terminal.shown()).not.toContain(server.password);
  });

  test("Ctrl-C reaches the program, and at the second time all that it has started", async () => {
    const script = "trap 'echo got' INT; sleep 1000 & echo ready; while :; do wait; done";
    const terminal = await openTerminal([...anyprocArgv, "run", ...host(), "--", "sh", "-c", script]);
    await terminal.waitFor(/ready/);
    terminal.type("\x03");
    await terminal.waitFor(/got/);
    terminal.type("\x03");
    expect(await terminal.wait()).toMatchObject({ exitCode: 143 });
  });

  test("copy brings a directory there and back, and only what has changed the next time", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "sub"));
    writeFileSync(join(directory, "sub/file"), "content");
    const target = `${server.home}/with space`;
    const copyThere = (...options: string[]): Promise<Outcome> =>
      anyproc(["copy", ...where(), ...options, directory, url(encodeURI(target))], { env: { HOME: home } });
    const first = await copyThere();
    expect(first.stderr).toMatch(
      /^sending: 0 of 1 files.*\n.*\n(.*\n)?anyproc: 1 file sent \(0.0 MB\), 0 unchanged, by tar\n$/,
    );
    expect(first.exitCode).toBe(0);
    expect(readFileSync(`${target}/sub/file`, "utf8")).toBe("content");
    const again = await copyThere("--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ sent: 0, unchanged: 1 });

    const back = join(temporaryDirectory(), "back");
    const { exitCode } = await anyproc(["copy", "--quiet", ...where(), url(encodeURI(target)), back], {
      env: { HOME: home },
    });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(back, "sub/file"), "utf8")).toBe("content");
  });

  test("copy lets no name of a file steer the terminal", async () => {
    const directory = temporaryDirectory();
    execFileSync("mkfifo", [join(directory, "red\x1b[31m")]);
    const target = url(`${server.home}/steering`);
    const copy = (from: string, to: string) => anyproc(["copy", ...where(), from, to], { env: { HOME: home } });
    expect(await copy(directory, target)).toMatchObject({ exitCode: 0 });
    const back = await copy(target, join(temporaryDirectory(), "back"));
    expect(back.stderr).toContain("not kept: file type of red\\x1b[31m: ");
  });

  test("copy wants one side here and one there, and a directory that exists", async () => {
    const nowhere = await anyproc(["copy", url("/a"), url("/b")]);
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([125, expect.stringContaining("one side is ssh://")]);
    const nothing = await anyproc(["copy", "a", "b"]);
    expect([nothing.exitCode, nothing.stderr]).toEqual([125, expect.stringContaining("begin with what it is")]);
    const missing = await anyproc(["copy", ...where(), "/no/such", url("/tmp/x")], { env: { HOME: home } });
    expect([missing.exitCode, missing.stderr]).toEqual([125, expect.stringContaining("there is no such directory")]);
  });
});

test.each([
  ["ssh://me@box:22/a/b%20c", { kind: "ssh", host: "me@box:22", path: "/a/b c" }],
  ["dir:x", { kind: "directory", path: "x" }],
  ["./x", { kind: "directory", path: "./x" }],
])("%s is a place", (text, place) => {
  expect(parsePlace(text)).toEqual(place);
});

test.each(["", "ssh://box", "ssh:box", "ssh://box/%zz", "docker:image"])("%j is none", (text) => {
  expect(() => parsePlace(text)).toThrow(/copy/);
});
