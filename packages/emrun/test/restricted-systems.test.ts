import { spawnSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { available } from "./available.ts";
import { canRunModules, runModule } from "./child-node.ts";
import { hasAddon } from "./implementations.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

// Everything here happens in processes with namespaces of their own: this machine's settings and mounts stay as they
// are. sysctl vm.memfd_noexec belongs to the pid namespace.
const namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"];

/** Whether root can set something up in namespaces of its own; others are not expected to. */
function canPrepare(what: string, setUp: string): boolean {
  if (process.getuid?.() !== 0) return false;
  const { status } = spawnSync("unshare", [...namespaces.slice(1), "sh", "-ec", setUp]);
  return available(status === 0 ? undefined : `this system does not let root ${what}`);
}

const setMemfdNoexec = (value: number): string => `echo ${value} >/proc/sys/vm/memfd_noexec`;
const canMount = canPrepare("mount a directory", "mount -t tmpfs none /mnt");
const canSetNoexec = canPrepare("set vm.memfd_noexec, which came with kernel 6.3", setMemfdNoexec(2));

/** What a payload's life is like there. Prints one line of JSON. */
const report = `
  import { open, run } from "@anyproc/emrun";
  import { readdirSync } from "node:fs";
  import { tmpdir } from "node:os";
  const result = {};
  try {
    const payload = await open(Buffer.from("#!/bin/sh\\necho ran from $0"));
    result.reason = payload.fallbackReason?.message;
    result.output = String((await run(payload)).combinedOutput);
    result.isMemfd = payload.isMemfd;
    await payload.close();
  } catch (error) {
    result.error = error.message;
  }
  result.left = readdirSync(tmpdir());
  console.log(JSON.stringify(result));`;

async function reportFrom(
  setUp: string,
  directory: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Record<string, unknown>> {
  const prefix = [...namespaces, "sh", "-ec", `${setUp}\nexec "$@"`, "sh"];
  return JSON.parse(await runModule(report, { prefix, env: { TMPDIR: directory, ...env } })) as Record<string, unknown>;
}

async function mountPoint(): Promise<string> {
  const directory = join(await temporaryDirectory(), "tmp");
  await mkdir(directory);
  return directory;
}

const withoutAddon = { ANYPROC_EMRUN_ADDON: "/no/such/addon.node" };

describe.runIf(canRunModules)("without the addon", () => {
  test("payloads run from temporary files, and the reason is there", async () => {
    const directory = await temporaryDirectory();
    const result = JSON.parse(await runModule(report, { env: { ...withoutAddon, TMPDIR: directory } }));
    expect(result).toMatchObject({
      isMemfd: false,
      reason: expect.stringMatching(/ANYPROC_EMRUN_ADDON=\/no\/such\/addon.node: cannot be loaded/),
      output: expect.stringMatching(new RegExp(`^ran from ${directory}/[0-9a-f]{64}-`)),
      left: [],
    });
  });

  test.each([
    ["linux", "arm64", /linux-arm64 .*build it from the sources and name it in ANYPROC_EMRUN_ADDON/],
    ["android", "arm64", /android-arm64 .*build it from the sources/],
    ["darwin", "arm64", /memory files on darwin .*payloads run from temporary files/],
    ["win32", "x64", /memory files on win32 .*payloads run from temporary files/],
  ])("on %s-%s the reason is the system", async (platform, arch, reason) => {
    // What Node.js says of the system decides, so that is all that is changed.
    const module = `
      Object.defineProperties(process, { platform: { value: "${platform}" }, arch: { value: "${arch}" } });
      const { open } = await import("@anyproc/emrun");
      const { isMemfd, fallbackReason } = await open(Buffer.from("#!/bin/sh"));
      console.log(JSON.stringify({ isMemfd, code: fallbackReason.code, reason: fallbackReason.message }));`;
    const directory = await temporaryDirectory();
    // Windows has another name for it.
    const result = JSON.parse(await runModule(module, { env: { TMPDIR: directory, TEMP: directory } }));
    expect(result).toEqual({
      isMemfd: false,
      code: "ANYPROC_UNSUPPORTED",
      reason: expect.stringMatching(reason),
    });
  });

  test("everything else is the same: order aside, output, exit codes, formats", async () => {
    const module = `
      import * as emrun from "@anyproc/emrun";
      const result = async (text) => {
        const { exitCode, combinedOutput } = await emrun.do(text, ["a"], { reject: false, stdin: Buffer.from("in") });
        return [exitCode, combinedOutput === null ? null : String(combinedOutput)];
      };
      const texts = ["#!/bin/sh\\ncat; echo \\" $1\\"", "#!/bin/sh\\nexit 3", "#!/bin/sh\\nkill -9 $$", "text", "#!/no/such", "\\x7fELF"];
      console.log(JSON.stringify(await Promise.all(texts.map(result))));`;
    expect(JSON.parse(await runModule(module, { env: withoutAddon }))).toEqual([
      [0, "in a\n"],
      [3, ""],
      [137, ""],
      [126, null],
      [127, null],
      [126, null],
    ]);
  });

  test("a temporary file is removed when the process exits without closing it", async () => {
    const directory = await temporaryDirectory();
    const module = `
      import { open } from "@anyproc/emrun/efrun";
      const payload = await open(Buffer.from("#!/bin/sh"));
      console.log(payload.name);
      process.exit();`;
    const name = await runModule(module, { env: { TMPDIR: directory } });
    expect(name).toMatch(new RegExp(`^${directory}/[0-9a-f]{64}-`));
    expect(await readdir(directory)).toEqual([]);
  });
});

describe.runIf(hasAddon && canRunModules && canSetNoexec)("under vm.memfd_noexec (needs root and kernel 6.3)", () => {
  test.each([0, 1])("%i, memory files that ask for it are executable", async (value) => {
    const result = await reportFrom(setMemfdNoexec(value), await temporaryDirectory());
    expect(result).toEqual({ isMemfd: true, output: "ran from /proc/self/fd/3\n", left: [] });
  });

  test("2, there are none, and a temporary file takes their place", async () => {
    const directory = await temporaryDirectory();
    const result = await reportFrom(setMemfdNoexec(2), directory);
    expect(result).toMatchObject({
      isMemfd: false,
      reason: expect.stringMatching(/memfd_create: .*EACCES.*vm\.memfd_noexec is 2/),
      output: expect.stringMatching(new RegExp(`^ran from ${directory}/`)),
      left: [],
    });
  });

  test.runIf(canMount)("2, with a full directory for temporary files, both errors are told", async () => {
    const directory = await mountPoint();
    const fill = `mount -t tmpfs -o size=4k none ${directory}; head -c 4096 /dev/zero >${directory}/full`;
    const result = await reportFrom(`${setMemfdNoexec(2)}; ${fill}`, directory);
    expect(result).toEqual({
      error: expect.stringMatching(/vm\.memfd_noexec is 2.*; .*ENOSPC.*make room there/),
      left: ["full"],
    });
  });
});

describe.runIf(canRunModules && canMount)("with a directory for temporary files (needs root)", () => {
  const [noexec, full] = ["noexec", "size=4k"];

  test.runIf(hasAddon).each([noexec, full])("mounted %s, memory needs none of it", async (option) => {
    const directory = await mountPoint();
    const result = await reportFrom(`mount -t tmpfs -o ${option} none ${directory}`, directory);
    expect(result).toEqual({ isMemfd: true, output: "ran from /proc/self/fd/3\n", left: [] });
  });

  test("mounted noexec, a payload that has to run from there is exit code 126 with the remedy", async () => {
    const directory = await mountPoint();
    const result = await reportFrom(`mount -t tmpfs -o noexec none ${directory}`, directory, withoutAddon);
    expect(result).toMatchObject({ error: expect.stringMatching(/EACCES: .*noexec.*TMPDIR/) });
  });

  test("that is full, a payload that has to be written there says so, and leaves nothing", async () => {
    const directory = await mountPoint();
    const fill = `mount -t tmpfs -o size=4k none ${directory}; head -c 4096 /dev/zero >${directory}/full`;
    const result = await reportFrom(fill, directory, withoutAddon);
    expect(result).toEqual({ error: expect.stringMatching(/ENOSPC.*make room there/), left: ["full"] });
  });
});
