import {
  AnyprocError,
  type Capabilities,
  type Command,
  defineEnvironment,
  type Environment,
  programName,
  type RunningProgram,
  unsupported,
} from "@anyproc/core";
import { type LocalProgram, type PtyModule, startPty } from "@anyproc/core/child-process";
import { resolveBinds, toBinds, usualBinds } from "./binds.ts";
import { checkOptions } from "./check-options.ts";
import { findEngine } from "./engine.ts";
import { type AppliedExtensions, applyExtensions } from "./extensions.ts";
import { guestForExtensions, withResolvedPaths } from "./guest.ts";
import { guestEnvironment } from "./guest-environment.ts";
import { guestFiles } from "./guest-files.ts";
import { guestUser } from "./guest-users.ts";
import { type LauncherDescriptors, launcherArguments } from "./launcher-arguments.ts";
import type { ProotOptions } from "./options.ts";
import { resolveRootfs } from "./rootfs.ts";
import { startGuest } from "./start-guest.ts";

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
 * @throws ANYPROC_ROOTFS_NOT_FOUND, ANYPROC_ROOTFS_INVALID, ANYPROC_INVALID_OPTION, ANYPROC_EXTENSION_FAILED;
 * ANYPROC_UNSUPPORTED, ANYPROC_MISSING_PACKAGE or ANYPROC_ENGINE_REFUSED where the engine cannot run
 */
export async function createProot(options: ProotOptions): Promise<Environment> {
  checkOptions(options);
  const launcher = await findEngine();
  const { rootfs, binds, defaultBinds = true, extensions = [] } = options;
  const applied = await applyExtensions(extensions, {
    rootfs,
    binds: toBinds(binds ?? []),
    runners: [],
    defaultBinds: typeof defaultBinds === "boolean" ? (defaultBinds ? usualBinds : []) : toBinds(defaultBinds),
  });
  try {
    return await environmentOf(launcher, options, applied);
  } catch (error) {
    // What failed first is what the caller has to know.
    await applied.release().catch(() => {});
    throw error;
  }
}

async function environmentOf(
  launcher: string,
  options: ProotOptions,
  extensions: AppliedExtensions,
): Promise<Environment> {
  const { killOnExit = true, cache = true, patch = true, strict = true, onRefusedCall } = options;
  const { setup, resolvePath } = extensions;
  const rootfs = await resolveRootfs(setup.rootfs);
  const binds = await resolveBinds(rootfs, [...setup.defaultBinds, ...setup.binds]);
  const files = guestFiles(rootfs, binds);
  const guest = guestForExtensions(rootfs, binds, files, (command) => guestEnvironment(options, command, "/"));

  /** The command as the guest will run it: its paths resolved, then whatever the extensions make of it. */
  function resolveCommand(command: Command): Promise<Command> {
    const [program, ...rest] = command.argv;
    const cwd = resolvePath(command.cwd ?? options.cwd ?? "/");
    const isPath = typeof program === "string" && program.includes("/");
    const argv = [isPath ? resolvePath(program) : program, ...rest] as const;
    return extensions.resolveCommand({ ...command, argv, cwd }, guest);
  }

  async function start(asked: Command): Promise<RunningProgram> {
    const command = await resolveCommand(asked);
    const { cwd = "/" } = command;
    if (!cwd.startsWith("/")) {
      throw new AnyprocError("ANYPROC_INVALID_OPTION", `cwd ${cwd}: give an absolute path in the guest`);
    }
    const user = await guestUser(files, options.id, command.user);
    const local = (descriptors: LauncherDescriptors): LocalProgram => ({
      name: programName(command),
      file: launcher,
      args: launcherArguments({
        rootfs,
        binds,
        runners: setup.runners,
        cwd,
        id: user.id,
        killOnExit,
        cache,
        strict,
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
    if (!command.pty) return startGuest(local, onRefusedCall);
    const size = { columns: 80, rows: 24, ...(command.pty === true ? {} : command.pty) };
    return startPty({ ...local({ lifeProcess: process.pid }), size }, loadPty);
  }

  return defineEnvironment({
    name: `proot:${rootfs}`,
    capabilities: { ...capabilities, orphans: killOnExit ? "ended" : "live" },
    start,
    fs: withResolvedPaths(files, resolvePath),
    release: extensions.release,
  });
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
