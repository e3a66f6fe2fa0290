import type { Runner, UserIds } from "@anyproc/core";
import type { ResolvedBind } from "./binds.ts";

/** What ties the launcher to this process: pipes, by their numbers there. */
export interface LauncherDescriptors {
  /** On which the launcher says why a run could not begin. */
  readonly reportDescriptor?: number;
  /** Whose end is the end of every guest. */
  readonly lifeDescriptor?: number;
  /** The same for a run on a terminal, which has no pipes: a process, this one's parent. */
  readonly lifeProcess?: number;
  /** Where system calls that are refused are told. */
  readonly diagnosticsDescriptor?: number;
}

/** One run, as the launcher is told. */
export interface LauncherRun extends LauncherDescriptors {
  readonly rootfs: string;
  readonly binds: readonly ResolvedBind[];
  readonly runners: readonly Runner[];
  readonly cwd: string;
  readonly id: Required<Pick<UserIds, "uid" | "gid">> | undefined;
  readonly killOnExit: boolean;
  readonly cache: boolean;
  readonly strict: boolean;
  readonly patch: boolean;
  readonly argv: readonly string[];
}

/** The launcher's command line; native/README.md documents it. */
export function launcherArguments(run: LauncherRun): string[] {
  return [
    "--rootfs",
    run.rootfs,
    ...run.binds.flatMap(bindArguments),
    ...run.runners.flatMap((runner) => ["--runner", String(runner.machine), runner.program, runner.argv0Option ?? ""]),
    "--cwd",
    run.cwd,
    ...(run.id ? ["--id", `${run.id.uid}:${run.id.gid}`] : []),
    ...(run.killOnExit ? [] : ["--no-kill-on-exit"]),
    ...(run.cache ? [] : ["--no-cache"]),
    ...(run.strict ? [] : ["--pass-unknown"]),
    ...(run.diagnosticsDescriptor === undefined ? [] : ["--diagnostics-fd", String(run.diagnosticsDescriptor)]),
    ...(run.patch ? [] : ["--no-patch"]),
    ...(run.reportDescriptor === undefined ? [] : ["--report-fd", String(run.reportDescriptor)]),
    ...(run.lifeDescriptor === undefined ? [] : ["--life-fd", String(run.lifeDescriptor)]),
    ...(run.lifeProcess === undefined ? [] : ["--life-pid", String(run.lifeProcess)]),
    "--",
    ...run.argv,
  ];
}

function bindArguments({ host, guest, readOnly, noFollow }: ResolvedBind): string[] {
  return [readOnly ? "--bind-read-only" : "--bind", host, guest, ...(noFollow ? ["--no-follow"] : [])];
}
