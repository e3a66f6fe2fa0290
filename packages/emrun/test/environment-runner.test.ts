import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Environment } from "@anyproc/core";
import * as emrun from "@anyproc/emrun";
import * as efrun from "@anyproc/emrun/efrun";
import { createHost } from "@anyproc/host";
import { createProot, findEngine } from "@anyproc/proot";
import { describe, expect, onTestFinished, test } from "vitest";
import { available } from "./available.ts";
import { hasAddon } from "./implementations.ts";
import { dynamicExecutable, script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A root filesystem that has a shell, and nothing else of this machine. */
async function busyboxRootfs(): Promise<string> {
  const rootfs = await temporaryDirectory();
  for (const name of ["bin", "tmp", "proc", "dev", "sys"]) await mkdir(join(rootfs, name));
  for (const name of ["sh", "cat", "ls", "sleep"]) await copyFile("/bin/busybox", join(rootfs, "bin", name));
  return rootfs;
}

async function closing(environment: Environment): Promise<Environment> {
  onTestFinished(() => environment.close());
  return environment;
}

const hasEngine = available(await findEngine().then(() => undefined, String));

const environments = [
  { name: "host", canRun: true, create: async () => closing(createHost()) },
  { name: "proot on /", canRun: hasEngine, create: async () => closing(await createProot({ rootfs: "/" })) },
  {
    name: "proot on another rootfs",
    canRun: hasEngine,
    create: async () => closing(await createProot({ rootfs: await busyboxRootfs() })),
  },
];

describe.each(environments.filter(({ canRun }) => canRun))("inEnvironment: $name", ({ create }) => {
  test.runIf(hasAddon)("a script runs from this machine's memory, and reads its stdin", async () => {
    const runner = emrun.inEnvironment(await create());
    await using payload = await emrun.open(script('echo "$0 $1"; cat; echo err >&2; exit 4'));
    const options = { runner, stdin: Buffer.from("input\n"), reject: false };
    const { exitCode, combinedOutput } = await emrun.run(payload, ["argument"], options);
    expect(exitCode).toBe(4);
    const lines = String(combinedOutput).split("\n");
    expect(lines[0]).toMatch(/^\/proc\/\d+\/fd\/\d+ argument$/);
    expect(lines.slice(1).sort()).toEqual(["", "err", "input"]);
  });

  test("a static executable", async () => {
    const runner = emrun.inEnvironment(await create());
    const payload = await import("node:fs/promises").then(({ readFile }) => readFile("/bin/busybox"));
    // It takes the name of a program that it is not, so it says what it can be.
    const { combinedOutput } = await emrun.run(payload, [], { runner, reject: false });
    expect(String(combinedOutput)).toMatch(/applet not found/);
  });

  test("a payload in a temporary file is written there for the run, and removed", async () => {
    const environment = await create();
    const directory = "/tmp";
    const runner = efrun.inEnvironment(environment, { directory });
    await using payload = await efrun.open(script("echo $0"));
    const { combinedOutput } = await efrun.run(payload, [], { runner });
    expect(String(combinedOutput)).toMatch(new RegExp(`^${directory}/${payload.digest}-[0-9a-f]+\n$`));
    const left = await environment.fs?.readdir(directory);
    expect(left).not.toContain(
      String(combinedOutput)
        .trim()
        .slice(directory.length + 1),
    );
  });

  test("cancel ends it", async () => {
    const runner = emrun.inEnvironment(await create());
    const stdout = new PassThrough();
    const running = await emrun.runIOBG(script("echo ready; sleep 1000"), [], { runner, stdout });
    await new Promise((resolve) => stdout.once("data", resolve));
    await running.cancel();
    expect(await running.done).toMatchObject({ aborted: true, error: { code: "ANYPROC_EXIT" } });
  });

  test("policies hold", async () => {
    const options = { runner: emrun.inEnvironment(await create()), policy: emrun.allowAll.withPolicy("deny") };
    await expect(emrun.run(script("true"), [], options)).rejects.toBeInstanceOf(emrun.PolicyError);
  });

  test("what an environment cannot pass on is refused", async () => {
    const runner = emrun.inEnvironment(await create());
    const unsupported = { code: "ANYPROC_UNSUPPORTED" };
    await expect(emrun.run(script(""), [], { runner, argv0: "name" })).rejects.toMatchObject(unsupported);
    await expect(emrun.run(script(""), [], { runner, descriptors: [0] })).rejects.toMatchObject(unsupported);
  });
});

// The third has no libraries.
test.each(environments.slice(0, 2).filter(({ canRun }) => canRun))(
  "a dynamic executable: $name",
  async ({ create }) => {
    const runner = emrun.inEnvironment(await create());
    const { combinedOutput } = await emrun.run(dynamicExecutable(), ["/proc/self/cmdline"], { runner });
    const [name] = String(combinedOutput).split("\0");
    expect(name).toMatch(hasAddon ? /^\/proc\/\d+\/fd\/\d+$/ : /^\/tmp\//);
  },
);

describe("inEnvironment: without files", () => {
  async function withoutFiles(): Promise<Environment> {
    const { fs: _files, ...host } = await closing(createHost());
    return host;
  }

  test("a payload is written there by a shell, before its own input, and removed", async () => {
    const directory = await temporaryDirectory();
    const runner = emrun.inEnvironment(await withoutFiles(), { directory });
    const text = script('echo "$# $1"; cat; umask; exit 3');
    const options = { runner, stdin: Buffer.from("input\n"), reject: false };
    const { exitCode, combinedOutput } = await emrun.run(text, ["a b", ""], options);
    expect({ exitCode, output: String(combinedOutput) }).toEqual({
      exitCode: 3,
      output: `2 a b\ninput\n${process.umask().toString(8).padStart(4, "0")}\n`,
    });
    const silent = await emrun.run(script("cat; echo end"), [], { runner });
    expect(String(silent.combinedOutput)).toBe("end\n");
    const large = Buffer.concat([dynamicExecutable(), Buffer.alloc(3_000_000)]);
    const stdin = Buffer.alloc(300_000, "x");
    expect((await emrun.run(large, [], { runner, stdin })).combinedOutput).toEqual(stdin);
    expect(await readdir(directory)).toEqual([]);
  });

  test("what cannot be written is exit code 126", async () => {
    const runner = emrun.inEnvironment(await withoutFiles(), { directory: "/no/such" });
    await expect(emrun.run(script(""), [], { runner })).rejects.toMatchObject({
      exitCode: 126,
      message: expect.stringContaining("/no/such/"),
    });
    await expect(emrun.runIO(script(""), [], { runner, stdin: "inherit" })).rejects.toMatchObject({
      code: "ANYPROC_UNSUPPORTED",
    });
  });
});

test("a directory that cannot be written to leaves nothing behind", async () => {
  const directory = await temporaryDirectory();
  const runner = efrun.inEnvironment(await closing(createHost()), { directory: join(directory, "none") });
  await expect(efrun.run(script(""), [], { runner })).rejects.toMatchObject({ code: "ENOENT" });
  expect(await readdir(directory)).toEqual([]);
});
