import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";
import { AnyprocError, exec, isAnyprocError } from "@anyproc/core";
import { createProot } from "./create-proot.ts";
import { findEngine } from "./engine.ts";
import { errorName, memfdRemedy, procRemedy, seccompRemedy } from "./remedies.ts";

/** One thing that was looked at. */
export interface DiagnosisCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it; only when not ok. */
  readonly remedy?: string;
}

/** Whether the engine can run on this machine. */
export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly DiagnosisCheck[];
}

/** What `anyproc-proot --probe` prints, having tried each thing in a child. */
interface Probe {
  readonly kernel: string;
  readonly seccomp: boolean;
  readonly seccompErrno: number;
  readonly openat2: boolean;
  readonly patching: boolean;
  readonly memfd: boolean;
  readonly memfdErrno: number;
  readonly proc: boolean;
  readonly ptraceScope: number;
  readonly landlock: number;
}

/** kernel.yama.ptrace_scope. The engine itself attaches to nobody: it concerns strace and gdb in a guest. */
const ptraceScopes: readonly string[] = [
  "any process of the same user may be traced",
  "programs that strace and gdb start can be traced; attaching with -p is refused (kernel.yama.ptrace_scope=1)",
  "strace and gdb need CAP_SYS_PTRACE (kernel.yama.ptrace_scope=2)",
  "strace and gdb cannot work (kernel.yama.ptrace_scope=3)",
];

/** Tries what the engine needs, and names the remedy for what is refused. Never throws. */
export async function diagnose(): Promise<Diagnosis> {
  let launcher: string;
  try {
    launcher = await findEngine();
  } catch (error) {
    if (!isAnyprocError(error)) throw error;
    return { ok: false, checks: [{ name: "engine", ok: false, detail: "not available", remedy: error.message }] };
  }
  const checks: DiagnosisCheck[] = [{ name: "engine", ok: true, detail: launcher }];
  try {
    checks.push(...judge(await probe(launcher)));
    // Whatever nobody thought of shows here.
    if (checks.every((check) => check.ok)) checks.push(await tryGuest(launcher));
  } catch (error) {
    const detail = "its probe did not run";
    checks.push({ name: "probe", ok: false, detail, remedy: error instanceof Error ? error.message : String(error) });
  }
  return { ok: checks.every((check) => check.ok), checks };
}

/** Runs a program that needs no library, the launcher itself, in a guest. */
async function tryGuest(launcher: string): Promise<DiagnosisCheck> {
  const name = "a guest";
  try {
    const guest = await createProot({ rootfs: "/" });
    const { exitCode, stderr } = await exec(guest, [await realpath(launcher), "--help"], {
      reject: false,
      timeoutMs: 10_000,
    });
    await guest.close();
    const remedy = stderr.trim() || "look at the end of `dmesg`";
    return check(name, exitCode === 0, exitCode === 0 ? "runs" : `ended with ${exitCode}`, remedy);
  } catch (error) {
    if (!isAnyprocError(error)) throw error;
    return { name, ok: false, detail: "cannot be started", remedy: error.message };
  }
}

async function probe(launcher: string): Promise<Probe> {
  const { stdout } = await promisify(execFile)(launcher, ["--probe"], { timeout: 10_000 });
  try {
    return JSON.parse(stdout) as Probe;
  } catch (error) {
    throw new AnyprocError("ANYPROC_ENGINE_REFUSED", `${launcher} --probe printed no JSON: is it the engine?`, {
      cause: error,
    });
  }
}

function judge(found: Probe): DiagnosisCheck[] {
  return [
    { name: "kernel", ok: true, detail: found.kernel },
    check(
      "seccomp filters",
      found.seccomp,
      found.seccomp ? "allowed" : `refused (${errorName(found.seccompErrno)})`,
      seccompRemedy(found.seccompErrno),
    ),
    check(
      "memfd_create",
      found.memfd,
      found.memfd ? "allowed" : `refused (${errorName(found.memfdErrno)})`,
      memfdRemedy,
    ),
    check("/proc", found.proc, found.proc ? "mounted" : "cannot be read", procRemedy),
    {
      name: "openat2",
      ok: true,
      detail: found.openat2 ? "allowed" : "not available: paths are walked, which is slower",
    },
    {
      name: "patched call sites",
      ok: true,
      detail: found.patching
        ? "allowed"
        : "code in memory may not be changed: every call takes a signal, which is slower",
    },
    { name: "ptrace", ok: true, detail: ptraceScopes[found.ptraceScope] ?? `Yama's scope ${found.ptraceScope}` },
  ];
}

function check(name: string, ok: boolean, detail: string, remedy: string): DiagnosisCheck {
  return ok ? { name, ok, detail } : { name, ok, detail, remedy };
}
