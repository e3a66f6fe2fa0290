import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AnyprocError, isAnyprocError } from "@anyproc/core";
import { findEngine } from "./engine.ts";

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
  readonly ptraceScope: number;
  readonly landlock: number;
}

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
  } catch (error) {
    const detail = "its probe did not run";
    checks.push({ name: "probe", ok: false, detail, remedy: error instanceof Error ? error.message : String(error) });
  }
  return { ok: checks.every((check) => check.ok), checks };
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
      found.seccomp ? "allowed" : `refused (errno ${found.seccompErrno})`,
      "an outer sandbox forbids them: for docker, --security-opt seccomp=unconfined; else CONFIG_SECCOMP_FILTER is off",
    ),
    check(
      "memfd_create",
      found.memfd,
      found.memfd ? "allowed" : "refused",
      "it needs Linux 3.17, and an outer sandbox that does not forbid it",
    ),
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
  ];
}

function check(name: string, ok: boolean, detail: string, remedy: string): DiagnosisCheck {
  return ok ? { name, ok, detail } : { name, ok, detail, remedy };
}
