import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { defaultRunner, open, RunError, run, runIOE } from "@anyproc/emrun";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SpawnPayload, spawnPayload } from "../src/spawn-payload.ts";
import { createSpawnRunner } from "../src/spawn-runner.ts";
import { hasAddon } from "./implementations.ts";
import { script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`execve: ${code}`), { code });
}

const denyExecution = fileURLToPath(new URL("fixtures/deny-execution.py", import.meta.url));

/** Has the kernel ask a program before it executes a file, and that program refuse (fanotify(7), for root). */
async function refuseExecution(file: string): Promise<void> {
  const refusing = spawn("python3", [denyExecution, file], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void refusing.kill());
  await Promise.race([
    once(refusing.stdout, "data"),
    once(refusing, "close").then(([code]) => {
      throw new Error(`${denyExecution} exited with ${code}`);
    }),
  ]);
}

/** This machine, with a security module that does not execute what is in memory. */
function refusing(code: string): SpawnPayload {
  return async (file, header, command) => {
    if (file.path === undefined) throw systemError(code);
    return spawnPayload(file, header, command);
  };
}

describe.runIf(hasAddon)("a start from memory that is refused", () => {
  test.runIf(process.getuid?.() === 0)("by the kernel itself happens from a temporary file (needs root)", async () => {
    await using payload = await open(script("echo $0 $1"));
    await refuseExecution(payload.name.replace("self", `${process.pid}`));
    expect(String((await run(payload, ["argument"])).combinedOutput)).toBe(`${payload.name} argument\n`);
    expect(payload).toMatchObject({ isMemfd: false, fallbackReason: { code: "EPERM", syscall: "execve" } });
  });

  test.each(["EACCES", "EPERM"])("with %s happens from a temporary file, with all that was asked for", async (code) => {
    const directory = await temporaryDirectory();
    const cwd = await temporaryDirectory();
    const runner = createSpawnRunner(refusing(code));
    const payload = await open(script('echo "$0|$1|$VALUE|$(pwd)|$(cat)"; echo err >&2; exit 5'), {
      tempDirectory: directory,
    });
    expect(payload.isMemfd).toBe(true);
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const options = { runner, cwd, env: { VALUE: "kept" }, stdin: Buffer.from("input"), stdout, stderr, reject: false };
    expect(await runIOE(payload, ["argument"], options)).toMatchObject({ exitCode: 5 });
    expect(await text(stdout.end())).toBe(`${payload.name}|argument|kept|${cwd}|input\n`);
    expect(await text(stderr.end())).toBe("err\n");
    expect(payload.isMemfd).toBe(false);
    expect(payload.fallbackReason).toMatchObject({ code });
    expect(await readdir(directory)).toEqual([basename(payload.name)]);
    expect(basename(payload.name)).toMatch(new RegExp(`^${payload.digest}-`));

    const again = await run(payload, [], { runner: defaultRunner, reject: false });
    expect(String(again.combinedOutput)).toContain(payload.name);
    await payload.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("keeps the caller's descriptors and a name of its own", async () => {
    const runner = createSpawnRunner(refusing("EACCES"));
    const { open: openFile } = await import("node:fs/promises");
    const file = await openFile("/etc/hostname");
    try {
      const options = { runner, descriptors: [file.fd] };
      const { combinedOutput } = await run(script("readlink /proc/self/fd/3"), [], options);
      expect(String(combinedOutput)).toBe("/etc/hostname\n");
    } finally {
      await file.close();
    }
    const busybox = await readFile("/bin/cat");
    const named = await run(busybox, ["/proc/self/cmdline"], { runner, argv0: "a name" });
    expect(String(named.combinedOutput)).toBe("a name\0/proc/self/cmdline\0");
  });

  test("is tried at once by many runs, and makes one file", async () => {
    const directory = await temporaryDirectory();
    const runner = createSpawnRunner(refusing("EPERM"));
    const payload = await open(script("echo $0"), { tempDirectory: directory });
    const results = await Promise.all(Array.from({ length: 8 }, () => run(payload, [], { runner })));
    expect(new Set(results.map((result) => String(result.combinedOutput)))).toEqual(new Set([`${payload.name}\n`]));
    expect(await readdir(directory)).toHaveLength(1);
    await payload.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("and refused again, from the file, says both", async () => {
    const runner = createSpawnRunner((file) =>
      Promise.reject(systemError(file.path === undefined ? "EACCES" : "EPERM")),
    );
    const error = await run(script(""), [], { runner }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunError);
    expect(error).toMatchObject({
      code: "ANYPROC_EMRUN_NOT_EXECUTABLE",
      exitCode: 126,
      message: expect.stringMatching(/from memory or from a temporary file: execve: EACCES; execve: EPERM/),
      cause: { errors: [{ code: "EACCES" }, { code: "EPERM" }] },
    });
  });

  test("and that leaves no temporary file to be written says both, too", async () => {
    const runner = createSpawnRunner(refusing("EACCES"));
    await using payload = await open(script(""), { tempDirectory: "/no/such" });
    await expect(run(payload, [], { runner })).rejects.toMatchObject({
      cause: { errors: [{ code: "EACCES" }, { code: "ANYPROC_EMRUN_TEMPORARY_FILE" }] },
    });
    expect(payload.isMemfd).toBe(true);
  });

  test.each(["ENOENT", "E2BIG", "EAGAIN"])("for another reason, %s, is not tried again", async (code) => {
    const paths: unknown[] = [];
    const runner = createSpawnRunner((file) => {
      paths.push(file.path);
      return Promise.reject(systemError(code));
    });
    await expect(run(script(""), [], { runner })).rejects.toThrow();
    expect(paths).toEqual([undefined]);
  });
});

test("a file that somebody has open for writing is executed when they have closed it", async () => {
  const { open: openFile } = await import("node:fs/promises");
  const efrun = await import("@anyproc/emrun/efrun");
  await using payload = await efrun.open(script("echo ran"));
  const writer = await openFile(payload.name, "r+");
  let attempts = 0;
  const runner = createSpawnRunner(async (...parameters) => {
    attempts += 1;
    if (attempts === 2) await writer.close();
    return spawnPayload(...parameters);
  });
  expect(String((await run(payload, [], { runner })).combinedOutput)).toBe("ran\n");
  expect(attempts).toBe(2);
});
