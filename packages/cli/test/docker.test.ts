import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DockerServer, dockerServerMissing, startDockerServer } from "../../../tools/services/docker.ts";
import { anyproc, anyprocArgv, type Outcome, startAnyproc } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { openTerminal } from "./support/terminal.ts";

const missing = dockerServerMissing();
if (missing) console.warn(`tests against a real docker are skipped: ${missing}`);

describe.skipIf(missing)("anyproc and containers", () => {
  let server: DockerServer;
  beforeAll(async () => {
    server = await startDockerServer();
  });
  afterAll(() => server?.stop());

  const env = (): Record<string, string> => ({ DOCKER_HOST: server.host });
  const docker = (...args: string[]): Promise<Outcome> => anyproc(args, { env: env() });
  const runThere = (args: readonly string[], input?: string): Promise<Outcome> =>
    anyproc(["run", "--image", server.image, "--network", "none", ...args], {
      env: env(),
      ...(input !== undefined && { input }),
    });

  test("run passes arguments, streams, variables, user, directory and exit code", async () => {
    const script = 'cat; echo "$COLOR $PWD $(id -un) $1"; echo err >&2; exit 7';
    const where = ["-e", "COLOR=red", "-w", "/home", "-u", "alice"];
    const outcome = await runThere([...where, "--", "sh", "-c", script, "sh", "a  'b'"], "in\n");
    expect(outcome).toEqual({ exitCode: 7, stdout: "in\nred /home alice a  'b'\n", stderr: "err\n" });
  });

  test("run tells of signals, missing programs and time that is over", async () => {
    expect((await runThere(["sh", "-c", "kill -TERM $$"])).exitCode).toBe(143);
    expect((await runThere(["no-such-program"])).exitCode).toBe(127);
    expect((await runThere(["--timeout", "0.2", "sleep", "1000"])).exitCode).toBe(124);
  });

  test("run takes volumes, ports, a name and a daemon, and keeps the container when told to", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "from here\n");
    const options = ["-v", `${directory}:/data:ro`, "-p", "127.0.0.1:8080:80", "--name", "kept", "--no-rm"];
    const outcome = await anyproc(
      [
        "run",
        "--docker-host",
        server.host,
        "--image",
        server.image,
        "--pull",
        "never",
        ...options,
        "cat",
        "/data/file",
      ],
      { env: { DOCKER_HOST: "unix:///nonexistent" } },
    );
    expect(outcome).toEqual({ exitCode: 0, stdout: "from here\n", stderr: "" });
    const again = await runThere(["--name", "kept", "true"]);
    expect([again.exitCode, again.stderr]).toEqual([
      125,
      expect.stringMatching(/^anyproc: kept: another container has/),
    ]);
  });

  test("run needs a command where the image has none, and an image that is there", async () => {
    const without = await docker("run", "--image", server.image);
    expect([without.exitCode, without.stderr]).toEqual([125, expect.stringContaining("has no command of its own")]);
    const absent = await docker("run", "--image", "absent", "--pull", "never", "true");
    expect([absent.exitCode, absent.stderr]).toEqual([125, expect.stringContaining("does not have this image")]);
    const policy = await docker("run", "--image", "absent", "--pull", "sometimes", "true");
    expect(policy.stderr).toBe("anyproc: --pull sometimes: choose missing, always or never\n");
  });

  test("run -it is a terminal as with docker; SIGTERM ends the program, and the container with it", async () => {
    const script =
      'echo "size $(stty size)"; trap "exit 9" INT; read line; echo "got $line"; while :; do sleep 0.05; done';
    const where = ["run", "--docker-host", server.host, "--image", server.image, "--network", "none"];
    const [program, ...rest] = anyprocArgv;
    const terminal = await openTerminal([program, ...rest, ...where, "-it", "--", "sh", "-c", script], {
      columns: 97,
      rows: 33,
    });
    await terminal.waitFor(/size 33 97/);
    terminal.type("hello\r");
    await terminal.waitFor(/got hello/);
    terminal.type("\x03");
    expect((await terminal.process.wait()).exitCode).toBe(9);
  });

  test("run --container enters a running one", async () => {
    const name = ["--network", "none", "--name", "entered"];
    const keeper = startAnyproc(["run", "--image", server.image, ...name, "sh", "-c", "echo up; exec sleep infinity"], {
      env: env(),
    });
    if (keeper.stdout) await once(keeper.stdout, "data");
    const inside = await docker("run", "--container", "entered", "-e", "A=1", "--", "sh", "-c", 'echo "$A"; exit 3');
    expect(inside).toEqual({ exitCode: 3, stdout: "1\n", stderr: "" });
    const both = await docker("run", "--container", "entered", "--name", "x", "true");
    expect(both.stderr).toContain("--name is for a new one");
    const ended = once(keeper, "exit");
    keeper.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
    expect((await docker("run", "--container", "entered", "true")).stderr).toContain("no such container");
  });

  test("doctor says what is left behind, and --sweep removes it", async () => {
    expect((await docker("doctor")).stdout).toMatch(/^✔ docker +works +docker 2.* at unix:\/\//m);
    const [program, ...rest] = anyprocArgv;
    const where = ["run", "--image", server.image, "--network", "none", "--name", "left"];
    const killed = spawn(program, [...rest, ...where, "sh", "-c", "echo up; sleep infinity"], {
      env: { ...process.env, ...env() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect((await docker("doctor")).stdout).toContain("remedy: 1 containers were left behind: anyproc doctor --sweep");
    const swept = await docker("doctor", "--sweep");
    expect(swept.stderr).toBe(`anyproc: removed container left of ${server.image}\n`);
    expect(swept.stdout).not.toContain("left behind");
  });
});

test("a daemon that is not there is said so, with the remedy", async () => {
  const env = { DOCKER_HOST: "unix:///nonexistent" };
  const sentence = "unix:///nonexistent: there is no such socket: start the daemon, or set DOCKER_HOST";
  expect(await anyproc(["run", "--image", "debian", "true"], { env })).toEqual({
    exitCode: 125,
    stdout: "",
    stderr: `anyproc: ${sentence}\n`,
  });
  expect((await anyproc(["doctor"], { env })).stdout).toMatch(new RegExp(`^✘ docker +fails +${sentence}$`, "m"));
});
