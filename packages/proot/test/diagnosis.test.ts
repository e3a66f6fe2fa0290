import { execFile, execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { diagnose, findEngine } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const fixture = fileURLToPath(new URL("fixtures/diagnose.mjs", import.meta.url));
const refuseCall = fileURLToPath(new URL("../../../native/proot/test/refuse-call.py", import.meta.url));

// Mounts of their own: this machine's stay as they are. Not every sandbox lets an ordinary user have them.
const ownMounts = ["unshare", "--user", "--map-root-user", "--mount"];

function canRun(argv: readonly string[]): boolean {
  try {
    execFileSync(argv[0] ?? "", argv.slice(1), { stdio: "ignore" });
    return true;
  } catch {
    if (process.env["CI"]) return true;
    console.warn(`skipped: ${argv[0]} cannot be used here`);
    return false;
  }
}
const hasPython = canRun(["python3", "--version"]);
const hasOwnMounts = canRun([...ownMounts, "true"]);
const sandbox = ["bwrap", "--dev-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--new-session"];
const hasBubblewrap = canRun([...sandbox, "true"]);

interface Findings {
  readonly ok: boolean;
  readonly failed: readonly { readonly name: string; readonly detail: string; readonly remedy: string }[];
  readonly start: string;
}

/** What the diagnosis finds when `prefix` runs it. */
async function findingsIn(prefix: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Findings> {
  const [file, ...args] = [...prefix, process.execPath, fixture];
  const { stdout } = await promisify(execFile)(file, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout) as Findings;
}

function refusing(errno: number, ...calls: number[]): string[] {
  return [refuseCall, String(errno), ...calls.map(String), "--"];
}

test.skipIf(engineIsMissing)("where nothing stands in the way, all is well and a guest has run", async () => {
  const { ok, checks } = await diagnose();
  expect(ok).toBe(true);
  expect(checks.map(({ name }) => name)).toContain("a guest");
});

// Numbers of x86-64: seccomp 317, memfd_create 319, faccessat2 439, openat2 437, pidfd_open 434.
describe.skipIf(engineIsMissing || !hasPython)("inside a sandbox that refuses", () => {
  test("seccomp filters: the sandbox is named, and what it has to allow", async () => {
    const remedy = expect.stringMatching(/^allow seccomp\(2\) .* in the sandbox around .*docker: --security-opt/);
    expect(await findingsIn(refusing(1, 317))).toEqual({
      ok: false,
      failed: [{ name: "seccomp filters", ok: false, detail: "refused (EPERM)", remedy }],
      start: expect.stringMatching(
        /^ANYPROC_ENGINE_REFUSED: seccomp filters are refused \(EPERM\).*allow seccomp\(2\)/,
      ),
    });
  });

  test("seccomp filters as a kernel without them does: the kernel is named", async () => {
    const { failed, start } = await findingsIn(refusing(22, 317));
    expect(failed[0]?.remedy).toContain("CONFIG_SECCOMP_FILTER");
    expect(start).toContain("CONFIG_SECCOMP_FILTER");
  });

  test("memfd_create", async () => {
    const { failed, start } = await findingsIn(refusing(1, 319));
    expect(failed).toMatchObject([{ name: "memfd_create", detail: "refused (EPERM)" }]);
    expect(failed[0]?.remedy).toMatch(/^allow memfd_create\(2\)/);
    expect(start).toMatch(/^ANYPROC_ENGINE_REFUSED: memfd_create is refused \(EPERM\)/);
  });

  test.each([1, 38])("what is newer than itself, with errno %i: the engine does without", async (errno) => {
    expect(await findingsIn(refusing(errno, 434, 437, 439))).toEqual({ ok: true, failed: [], start: "runs" });
  });
});

describe.skipIf(engineIsMissing || !hasOwnMounts)("with mounts of its own", () => {
  const withMounts = (script: string): string[] => [...ownMounts, "sh", "-ec", `${script}\nexec "$@"`, "sh"];

  test("an engine on a noexec mount is told where to go", async () => {
    const mountPoint = await temporaryDirectory();
    const files = dirname(await findEngine());
    const copy = `mount -t tmpfs -o noexec tmpfs ${mountPoint}; cp ${files}/* ${mountPoint}`;
    const { failed, start } = await findingsIn(withMounts(copy), { ANYPROC_PROOT_ENGINE: mountPoint });
    expect(failed).toMatchObject([{ name: "engine", remedy: expect.stringContaining("mounted noexec") }]);
    expect(start).toMatch(/^ANYPROC_ENGINE_REFUSED: .*mounted noexec .*ANYPROC_PROOT_ENGINE/);
  });

  test("a /proc that is missing is named", async () => {
    const { failed, start } = await findingsIn(withMounts("mount -t tmpfs tmpfs /proc"));
    expect(failed).toMatchObject([{ name: "/proc", remedy: expect.stringContaining("mount -t proc proc /proc") }]);
    expect(start).toMatch(/^ANYPROC_ENGINE_REFUSED: \/proc cannot be read/);
  });

  test("a program on a noexec mount is 126, and the mount is blamed", async () => {
    const mountPoint = await temporaryDirectory();
    const run = `mount -t tmpfs -o noexec tmpfs ${mountPoint}; cp /bin/true ${mountPoint}; ${await findEngine()} --rootfs / -- ${mountPoint}/true 2>&1 || echo $?`;
    const { stdout } = await promisify(execFile)(ownMounts[0] ?? "", [...ownMounts.slice(1), "sh", "-ec", run]);
    expect(stdout).toMatch(/cannot be executed where it lies \(Permission denied\): .*\/true: .* noexec\n126\n$/);
  });
});

test.skipIf(engineIsMissing || !hasBubblewrap)("inside bubblewrap everything works", async () => {
  expect(await findingsIn(sandbox)).toEqual({ ok: true, failed: [], start: "runs" });
});

// PR_SET_MDWE (65), since Linux 6.3: no memory becomes executable that was writable.
test.skipIf(engineIsMissing || !hasPython)(
  "where memory is either writable or executable everything works",
  async () => {
    const refuse =
      "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])";
    const launcher = await findEngine();
    const argv = ["-c", refuse, launcher, "--rootfs", "/", "--", "/bin/sh", "-c", "ls -d / && ls -d /"];
    expect((await promisify(execFile)("python3", argv)).stdout).toBe("/\n/\n");
  },
);

test.skipIf(engineIsMissing)("a limit on file sizes is named", async () => {
  const { ok, failed, start } = await findingsIn(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]);
  expect({ ok, failed }).toMatchObject({ ok: false, failed: [{ name: "a guest" }] });
  expect(start).toMatch(/^ANYPROC_START_FAILED: the limit on file sizes .*ulimit -f/);
});

test.skipIf(engineIsMissing)("inside the engine everything works", async () => {
  expect(await findingsIn([await findEngine(), "--rootfs", "/", "--id", "0:0", "--"])).toEqual({
    ok: true,
    failed: [],
    start: "runs",
  });
});
