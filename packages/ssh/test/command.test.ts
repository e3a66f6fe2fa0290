import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { exec } from "@anyproc/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SshEnvironment } from "../src/index.ts";
import {
  describeOnServer,
  enter,
  rejection,
  type SshServer,
  sshServerKinds,
  startSshServer,
  until,
  within,
  withServer,
} from "./server.ts";

let server: SshServer;
let box: SshEnvironment;
beforeAll(async () => {
  server = await startSshServer();
  box = await enter(server);
});
afterAll(async () => {
  await box.close();
  await server.stop();
});

/** A remote process that still runs: no zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function runs(user: string, program: string): boolean {
  return execFileSync("ps", ["-U", user, "-o", "comm="], { encoding: "utf8" }).split("\n").includes(program);
}

describeOnServer("arguments", () => {
  it("arrive byte for byte, whatever they hold", async () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Uint8Array.from(array, (byte) => byte || 1));
    const argument = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
      bytes,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 5 }), async (values) => {
        const { stdoutBytes } = await exec(box, ["printf", "%s\\0", ...values]);
        const expected = (values.length === 0 ? [""] : values).map((value) =>
          Buffer.concat([Buffer.from(value as string), Buffer.of(0)]),
        );
        expect(Buffer.from(stdoutBytes).equals(Buffer.concat(expected))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("may be longer than a command line, and leave stdin to the program", async () => {
    const long = `${"x".repeat(60_000)}\n'"$\\`;
    const script = 'cat; printf %s "$1$2"';
    const { stdout } = await exec(box, ["sh", "-c", script, "sh", long, long], { input: "from stdin\n" });
    expect(stdout).toBe(`from stdin\n${long}${long}`);
  });

  it("are refused when no program could take them", async () => {
    const error = await rejection(exec(box, ["echo", "x".repeat(200_000)]));
    expect(error).toMatchObject({ code: "ANYPROC_ARGUMENTS_TOO_LONG" });
    const many = Array.from({ length: 30 }, () => "x".repeat(100_000));
    expect(await rejection(exec(box, ["echo", ...many]))).toMatchObject({ code: "ANYPROC_ARGUMENTS_TOO_LONG" });
  });

  it.each([["-name"], ["a=b"]])("may name a program called %s", async (name) => {
    await exec(box, ["sh", "-c", 'printf "#!/bin/sh\\necho ran" > "./$1" && chmod +x "./$1"', "sh", name]);
    const env = { PATH: `${server.home}:/usr/bin:/bin` };
    expect((await exec(box, { argv: [name], env })).stdout).toBe("ran\n");
  });
});

describeOnServer("environment and directory", () => {
  it("sets variables whatever the server accepts, whatever they are called", async () => {
    const env = { PLAIN: "a 'b' \"c\"\n$d", lower: "1", "with.dot": "2", PWD: "/made/up", UID: "77", EMPTY: "" };
    const { stdout } = await exec(box, { argv: ["env", "-0"], env });
    const found = new Map(stdout.split("\0").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
    for (const [name, value] of Object.entries(env)) expect([name, found.get(name)]).toEqual([name, value]);
    expect(found.get("HOME")).toBe(server.home);
  });

  it("sets variables where the server accepts none", async () => {
    await withServer(sshServerKinds.noVariables, async (strict) => {
      await within(enter(strict), async (other) => {
        expect(
          (await exec(other, { argv: ["sh", "-c", "echo $LANG $FOO"], env: { LANG: "C", FOO: "bar" } })).stdout,
        ).toBe("C bar\n");
      });
    });
  });

  it("takes variables away, and starts with none", async () => {
    const without = await exec(box, { argv: ["env"], env: { HOME: undefined } });
    expect(without.stdout).not.toMatch(/^HOME=/m);
    const bare = await exec(box, { argv: ["env"], env: { A: "1", "B-": "2" }, extendEnv: false });
    expect(bare.stdout.trim().split("\n").sort()).toEqual(["A=1", "B-=2"]);
  });

  it("gives the session's own directory and variables to every command", async () => {
    await within(enter(server, { cwd: "/usr", env: { COLOR: "red" } }), async (other) => {
      expect((await exec(other, ["sh", "-c", "echo $PWD $COLOR"])).stdout).toBe("/usr red\n");
      const own = await exec(other, { argv: ["sh", "-c", "echo $PWD $COLOR"], cwd: "/", env: { COLOR: "blue" } });
      expect(own.stdout).toBe("/ blue\n");
    });
  });

  it("starts in the home directory, and takes relative directories from there", async () => {
    expect((await exec(box, ["pwd"])).stdout.trim()).toBe(server.home);
    await exec(box, ["mkdir", "-p", "--", "-- odd 'name"]);
    expect((await exec(box, { argv: ["pwd"], cwd: "-- odd 'name" })).stdout.trim()).toBe(`${server.home}/-- odd 'name`);
  });

  it("refuses a directory that is not there", async () => {
    const error = await rejection(exec(box, { argv: ["pwd"], cwd: "/no/such" }));
    expect(error).toMatchObject({ code: "ANYPROC_CWD_NOT_FOUND" });
    expect(error.message).toContain("cwd /no/such");
  });
});

describeOnServer("how programs end", () => {
  it.each([
    [["sh", "-c", "exit 7"], { exitCode: 7, signal: null }],
    [["sh", "-c", "kill -TERM $$"], { exitCode: 143, signal: "SIGTERM" }],
    [["no-such-program"], { exitCode: 127, signal: null }],
    [["/etc/passwd"], { exitCode: 126, signal: null }],
  ] as const)("%j", async (argv, expected) => {
    expect(await exec(box, [...argv], { reject: false })).toMatchObject(expected);
  });

  it("settles after the last byte of a program that ends at once", async () => {
    const size = 3_000_000;
    for (let round = 0; round < 5; round += 1) {
      const { stdoutBytes, stderrBytes } = await exec(box, ["sh", "-c", `head -c ${size} /dev/zero; echo end >&2`]);
      expect([stdoutBytes.length, stderrBytes.length]).toEqual([size, 4]);
    }
  });

  it("gives stdin's end to the program, and binary data both ways", async () => {
    const data = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index * 7));
    const { stdoutBytes } = await exec(box, ["cat"], { input: data });
    expect(Buffer.from(stdoutBytes).equals(data)).toBe(true);
    expect((await exec(box, ["cat"])).stdout).toBe("");
  });

  it("lets a program find that its reader is gone, as in a pipeline", async () => {
    const process = await box.spawn(["yes"]);
    process.stdout.once("data", () => process.stdout.destroy());
    expect(await process.wait()).toMatchObject({ signal: "SIGPIPE", exitCode: 141 });
  });

  it("keeps what start-up files of the login say out of the program's errors", async () => {
    await withServer({ shell: "/bin/bash" }, async (noisy) => {
      await within(enter(noisy), async (other) => {
        await exec(other, ["sh", "-c", "echo 'echo noise >&2' > .bashrc"]);
        expect(await exec(other, ["sh", "-c", "echo out; echo err >&2"])).toMatchObject({
          stdout: "out\n",
          stderr: "err\n",
        });
      });
    });
  });

  it("says what an account without a shell says", async () => {
    await withServer(sshServerKinds.filesOnly, async (filesOnly) => {
      await within(enter(filesOnly), async (other) => {
        const process = other.create(["true"]);
        process.stdin.end();
        const error = await rejection(process.start());
        expect(error).toMatchObject({ code: "ANYPROC_START_FAILED" });
      });
    });
    await withServer({ shell: "/usr/sbin/nologin" }, async (closed) => {
      await within(enter(closed), async (other) => {
        const error = await rejection(exec(other, ["true"]));
        expect(error).toMatchObject({ code: "ANYPROC_START_FAILED" });
        expect(error.message).toContain("This account is currently not available");
      });
    });
  });
});

describeOnServer("signals and trees", () => {
  it.each(["SIGUSR1", "SIGWINCH", "SIGTERM"] as const)("%s reaches the program alone", async (name) => {
    const script = `trap 'echo got; exit 3' ${name.slice(3)}; echo ready; while :; do sleep 0.05; done`;
    const process = box.create(["sh", "-c", script]);
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    expect((await lines.next()).value).toBe("ready");
    await process.signal(name);
    expect((await lines.next()).value).toBe("got");
    expect(await process.wait()).toMatchObject({ exitCode: 3 });
  });

  it("stops and continues", async () => {
    const process = box.create(["sh", "-c", "echo $$; read line; echo $line"]);
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    const pid = Number((await lines.next()).value);
    const state = (): string | undefined => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    await process.signal("SIGSTOP");
    await until(() => state() === "T");
    process.stdin.end("on\n");
    await process.signal("SIGCONT");
    expect((await lines.next()).value).toBe("on");
    await process.wait();
  });

  it("leaves no process of a tree, not even one in a session of its own", async () => {
    const script = `trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; echo $$; wait`;
    for (const end of ["kill", "close"] as const) {
      const process = box.create(["sh", "-c", script], { forceKillAfterMs: 100 });
      const lines = process.lines()[Symbol.asyncIterator]();
      await process.start();
      const pids: number[] = [];
      for (let count = 0; count < 3; count += 1) pids.push(Number((await lines.next()).value));
      expect(pids.every(isAlive)).toBe(true);
      await process[end]();
      expect(await process.wait()).toMatchObject({ signal: "SIGKILL", timedOut: false });
      expect(pids.filter(isAlive)).toEqual([]);
    }
    let pids: number[] = [];
    // Twice the time again, until it is enough for all three to be there, however slow the machine is.
    for (let timeoutMs = 500; pids.length < 3; timeoutMs *= 2) {
      const options = { forceKillAfterMs: 100, timeoutMs, reject: false };
      const { stdout, timedOut } = await exec(box, ["sh", "-c", script], options);
      expect(timedOut).toBe(true);
      pids = stdout.trim().split("\n").map(Number);
    }
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("asks before it forces", async () => {
    const process = box.create(["sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done"]);
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    await lines.next();
    const bye = lines.next();
    await process.close();
    expect((await bye).value).toBe("bye");
    expect(process.exitCode).toBe(5);
  });

  it("ends on an abort", async () => {
    const abort = new AbortController();
    const process = await box.spawn(["sleep", "1000"], { signal: abort.signal });
    abort.abort();
    expect(await process.wait()).toMatchObject({ aborted: true, signal: "SIGTERM" });
  });
});

describeOnServer("terminals", () => {
  it("have a size, change it, and tell the program", async () => {
    const script = "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done";
    const process = box.create({ argv: ["sh", "-c", script], pty: { columns: 101, rows: 31 } });
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    expect((await lines.next()).value).toBe("31 101");
    await lines.next();
    process.resize({ columns: 90, rows: 20 });
    expect((await lines.next()).value).toBe("20 90");
    expect(await process.wait()).toMatchObject({ exitCode: 0 });
  });

  it("take the session's modes", async () => {
    await within(enter(server, { terminalModes: { ECHO: 0, OPOST: 0 } }), async (other) => {
      const { stdout } = await exec(other, { argv: ["stty", "-a"], pty: true });
      expect(stdout).toContain("-echo ");
      expect(stdout).toContain("-opost");
      expect(stdout).not.toContain("\r");
    });
  });

  it("pass an interrupt typed on them, and merge both outputs", async () => {
    const script = "trap 'exit 9' INT; echo err >&2; while :; do sleep 0.05; done";
    const process = box.create({ argv: ["sh", "-c", script], pty: true });
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    expect((await lines.next()).value).toBe("err");
    process.stdin.write("\x03");
    expect(await process.wait()).toMatchObject({ exitCode: 9 });
  });

  it("end with everything on them", async () => {
    const process = box.create({ argv: ["sh", "-c", "sleep 1000 & echo $!; wait"], pty: true });
    const lines = process.lines()[Symbol.asyncIterator]();
    await process.start();
    const pid = Number((await lines.next()).value);
    await process.close();
    expect(isAlive(pid)).toBe(false);
  });
});

describeOnServer("sudo", () => {
  it("is not used unless a user is asked for, and says what it says", async () => {
    expect((await exec(box, ["id", "-un"])).stdout.trim()).toBe(server.user);
    const error = await rejection(exec(box, { argv: ["id"], user: "root" }));
    expect(error).toMatchObject({ code: "ANYPROC_START_FAILED" });
    expect(error.message).toMatch(/sudo/);
  });

  it.runIf(process.env["CI"] || existsSync("/etc/sudoers.d"))("runs, signals and ends programs of others", async () => {
    const rule = `/etc/sudoers.d/${server.user}`;
    writeFileSync(rule, `${server.user} ALL=(ALL:ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
    try {
      const env = { "with.dot": "1", COLOR: "red" };
      const script = 'id -u; echo "$COLOR $PWD $1"';
      const { stdout } = await exec(box, {
        argv: ["sh", "-c", script, "sh", "a 'b'"],
        user: { uid: 65534 },
        env,
        cwd: "/",
      });
      expect(stdout).toBe("65534\nred / a 'b'\n");
      const user = "nobody";
      expect((await exec(box, { argv: ["printenv", "with.dot"], user, env })).stdout).toBe("1\n");
      const process = box.create({
        argv: ["sh", "-c", "trap 'echo got' USR1; echo $$; while :; do sleep 0.05; done"],
        user,
      });
      const lines = process.lines()[Symbol.asyncIterator]();
      await process.start();
      const pid = Number((await lines.next()).value);
      await process.signal("SIGUSR1");
      expect((await lines.next()).value).toBe("got");
      await process.close();
      expect(isAlive(pid)).toBe(false);
      expect((await exec(box, { argv: ["sh", "-c", "exit 9"], user }, { reject: false })).exitCode).toBe(9);
    } finally {
      rmSync(rule);
    }
  });

  it("cannot give additional groups", async () => {
    const user = { uid: 0, additionalGids: [1] };
    expect(await rejection(exec(box, { argv: ["id"], user }))).toMatchObject({ code: "ANYPROC_UNSUPPORTED" });
  });
});

describeOnServer("many at once", () => {
  it("runs a hundred commands at once, each with its own answer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => (await exec(box, ["echo", String(index)])).stdout),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => `${index}\n`));
  });

  it("queues where the server allows two sessions, and still ends what runs", async () => {
    await withServer(sshServerKinds.twoSessions, async (narrow) => {
      await within(enter(narrow), async (other) => {
        const answers = await Promise.all(
          Array.from({ length: 30 }, async (_, index) => (await exec(other, ["echo", String(index)])).stdout),
        );
        expect(answers).toEqual(Array.from({ length: 30 }, (_, index) => `${index}\n`));

        const script = "sleep 1000 & echo $!; wait";
        const holders = [other.create(["sh", "-c", script]), other.create(["sh", "-c", script])];
        const pids: number[] = [];
        for (const holder of holders) {
          const lines = holder.lines()[Symbol.asyncIterator]();
          await holder.start();
          pids.push(Number((await lines.next()).value));
        }
        const waiting = exec(other, ["echo", "at last"]);
        await delay(0);
        await holders[0]?.signal("SIGTERM");
        expect((await waiting).stdout).toBe("at last\n");
        await Promise.all(holders.map((holder) => holder.kill()));
        expect(await holders[1]?.wait()).toMatchObject({ signal: "SIGKILL" });
        await until(() => !isAlive(pids[1] ?? 0));
      });
    });
  });

  it("gives a command up that waits for a session, when it is closed or aborted", async () => {
    await withServer(sshServerKinds.oneSession, async (narrow) => {
      await within(enter(narrow), async (other) => {
        const holder = await other.spawn(["sleep", "1000"]);
        const waiting = other.create(["true"], { forceKillAfterMs: 0 });
        const start = rejection(waiting.start());
        await waiting.close();
        expect(await start).toMatchObject({ code: "ANYPROC_CLOSED" });
        const abort = new AbortController();
        const unwanted = rejection(other.spawn(["true"], { signal: abort.signal, forceKillAfterMs: 0 }));
        abort.abort(new Error("enough"));
        expect((await unwanted).message).toBe("enough");
        await holder.kill();
      });
    });
  });

  it("gives a command up whose login shell hangs", async () => {
    await withServer({ shell: "/bin/bash" }, async (slow) => {
      await within(enter(slow), async (other) => {
        await other.fs.writeFile(`${slow.home}/.bashrc`, "exec sleep 1000\n");
        const hanging = other.create(["true"], { forceKillAfterMs: 0 });
        const never = rejection(hanging.start());
        await until(() => runs(slow.user, "sleep"));
        await hanging.close();
        expect(await never).toMatchObject({ code: "ANYPROC_CLOSED" });
        await until(() => !runs(slow.user, "sleep"));
        const limited = { timeoutMs: 100, forceKillAfterMs: 100, reject: false };
        expect(await exec(other, ["true"], limited)).toMatchObject({ timedOut: true, signal: "SIGTERM" });
        await until(() => !runs(slow.user, "sleep"));
      });
    });
  });

  it("says that a program still runs where the server takes neither a session nor a signal to end it", async () => {
    const config = ["MaxSessions 1", 'ForceCommand exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'];
    await withServer({ config }, async (deaf) => {
      await within(enter(deaf, { timeoutMs: 5000 }), async (other) => {
        const process = other.create(["sh", "-c", "echo $$; exec sleep 1000"], { forceKillAfterMs: 100 });
        const lines = process.lines()[Symbol.asyncIterator]();
        await process.start();
        const pid = Number((await lines.next()).value);
        await process.close();
        expect(await rejection(process.wait())).toMatchObject({ code: "ANYPROC_STILL_RUNNING" });
        expect(isAlive(pid)).toBe(true);
        globalThis.process.kill(pid, "SIGKILL");
      });
    });
  });

  it("says so when the server allows no session at all", async () => {
    await withServer({ config: ["MaxSessions 0"] }, async (none) => {
      await within(enter(none), async (other) => {
        expect(await rejection(exec(other, ["true"]))).toMatchObject({ code: "ANYPROC_SESSION_REFUSED" });
      });
    });
  });
});
