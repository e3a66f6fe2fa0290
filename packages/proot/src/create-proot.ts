import { realpath, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  AnyprocError,
  type Capabilities,
  type Command,
  defineEnvironment,
  type Environment,
  programName,
  type RunningProgram,
  type SignalName,
  systemErrorCode,
  unsupported,
} from "@anyproc/core";
import { type LocalProgram, type PtyModule, startChild, startPty } from "@anyproc/core/child-process";
import { resolveBinds } from "./binds.ts";
import { endGuests, stopGuest } from "./end-guests.ts";
import { findEngine } from "./engine.ts";
import { guestEnvironment } from "./guest-environment.ts";
import { guestFiles } from "./guest-files.ts";
import { guestUser } from "./guest-users.ts";
import { type LauncherDescriptors, launcherArguments } from "./launcher-arguments.ts";
import { readReport, reportError } from "./launcher-report.ts";
import type { ProotOptions } from "./options.ts";

const capabilities: Omit<Capabilities, "orphans"> = {
  pty: true,
  inherit: true,
  signals: "all",
  user: true,
  files: true,
  binaryArguments: false,
  pid: "supervisor",
  tree: "all",
};

/**
 * An environment that runs programs inside a plain root filesystem directory, with no root, no daemon, no namespaces.
 *
 * @example
 * const guest = await createProot({ rootfs: "/srv/debian" });
 * const { stdout } = await exec(guest, ["cat", "/etc/debian_version"]);
 * @throws ANYPROC_ROOTFS_NOT_FOUND, ANYPROC_ROOTFS_INVALID, ANYPROC_INVALID_OPTION; ANYPROC_UNSUPPORTED,
 * ANYPROC_MISSING_PACKAGE or ANYPROC_ENGINE_REFUSED where the engine cannot run
 */
export async function createProot(options: ProotOptions): Promise<Environment> {
  const { killOnExit = true, cache = true, patch = true } = options;
  const launcher = await findEngine();
  const rootfs = await resolveRootfs(options.rootfs);
  const binds = await resolveBinds(rootfs, options);
  const files = guestFiles(rootfs, binds);

  async function start(command: Command): Promise<RunningProgram> {
    const user = await guestUser(files, options.id, command.user);
    const cwd = command.cwd ?? options.cwd ?? "/";
    if (!cwd.startsWith("/")) {
      throw new AnyprocError("ANYPROC_INVALID_OPTION", `cwd ${cwd}: give an absolute path in the guest`);
    }
    const local = (descriptors: LauncherDescriptors): LocalProgram => ({
      name: programName(command),
      file: launcher,
      args: launcherArguments({
        rootfs,
        binds,
        cwd,
        id: user.id,
        killOnExit,
        cache,
        patch,
        ...descriptors,
        argv: command.argv.map(String),
      }),
      cwd: undefined,
      env: guestEnvironment(options, command, user.home),
      stdin: command.stdin,
      stdout: command.stdout,
      stderr: command.stderr,
    });
    if (command.pty) {
      const size = { columns: 80, rows: 24, ...(command.pty === true ? {} : command.pty) };
      return startPty({ ...local({}), size }, loadPty);
    }
    return startGuest(local({ reportDescriptor: 3, lifeDescriptor: 4 }));
  }

  return defineEnvironment({
    name: `proot:${rootfs}`,
    capabilities: { ...capabilities, orphans: killOnExit ? "ended" : "live" },
    start,
    fs: files,
  });
}

async function startGuest(program: LocalProgram): Promise<RunningProgram> {
  const running = await startChild(program, { extraPipes: 2, end: endGuests });
  const { child } = running;
  if (!child) {
    throw new AnyprocError(
      "ANYPROC_ENGINE_REFUSED",
      `${program.file}: the engine cannot be executed: ${running.stderr ? (await text(running.stderr)).trim() : "?"}`,
    );
  }
  // Nothing is ever said on it: however this process ends, its end of the pipe closes, and the launcher ends the guests.
  const life = child.stdio[4];
  life?.on("error", () => {});
  void running.exited.then(() => life?.destroy());
  const report = await readReport(child.stdio[3] as Readable);
  const error = report && reportError(report);
  if (error) {
    for (const stream of child.stdio) stream?.destroy();
    await running.exited;
    throw error;
  }
  return {
    ...running,
    signal(name: SignalName): void | Promise<void> {
      if (name === "SIGSTOP" && running.pid !== undefined) stopGuest(running.pid);
      else return running.signal(name);
    },
  };
}

async function resolveRootfs(directory: string): Promise<string> {
  if (typeof directory !== "string" || directory === "") {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      "rootfs is missing: name the directory that becomes the guest's /",
    );
  }
  let rootfs: string;
  try {
    rootfs = await realpath(directory);
    if ((await stat(rootfs)).isDirectory()) return rootfs;
  } catch (error) {
    const reason = systemErrorCode(error) === "EACCES" ? "you may not enter it" : "there is no such directory";
    throw new AnyprocError(
      "ANYPROC_ROOTFS_NOT_FOUND",
      `rootfs ${directory}: ${reason}: give the directory that a root filesystem was unpacked into`,
      { cause: error },
    );
  }
  throw new AnyprocError("ANYPROC_ROOTFS_INVALID", `rootfs ${directory}: is a file: unpack it, and give the directory`);
}

async function loadPty(): Promise<PtyModule> {
  return (await import("@lydell/node-pty")) as unknown as PtyModule;
}

/** For the registry, whose options are not typed. */
export function createProotByName(options: Readonly<Record<string, unknown>> = {}): Promise<Environment> {
  if (!("rootfs" in options)) {
    return Promise.reject(
      unsupported("proot", "a run without a rootfs", 'pass { environment: { rootfs: "/srv/debian" } }'),
    );
  }
  return createProot(options as unknown as ProotOptions);
}
