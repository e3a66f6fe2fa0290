import { resolve } from "node:path";
import { AnyprocError, unsupported } from "@anyproc/core";
import { isDirectory } from "@anyproc/core/child-process";

/** Options of createHost(). */
export interface HostOptions {
  /** Working directory of commands that name none; inside `rootfs`, when there is one. @default this process's, or `/` */
  readonly cwd?: string;
  /** Variables of every command, over the inherited ones; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Start from this process's variables. @default true */
  readonly inheritEnv?: boolean;
  /** Every program leads a session of its own: setsid(2). @default false */
  readonly detached?: boolean;
  /** From -20, the most favoured, to 19; below this process's own it takes root: setpriority(2). @default inherited */
  readonly niceness?: number;
  /** A directory that working directories and `fs` paths are taken from, as if it were `/`. */
  readonly rootfs?: string;
  /** Make `rootfs` the root directory of every program: chroot(2), which takes root. @default false */
  readonly chroot?: boolean;
}

/** Options with every default filled in. */
export interface HostSettings {
  readonly name: string;
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inheritEnv: boolean;
  readonly detached: boolean;
  readonly niceness: number | undefined;
  readonly rootfs: string | undefined;
  readonly chroot: boolean;
}

export function checkOptions(options: HostOptions): HostSettings {
  const { chroot = false, niceness } = options;
  const rootfs = options.rootfs === undefined ? undefined : resolve(options.rootfs);
  const name = rootfs === undefined ? "host" : `host:${rootfs}`;
  if (niceness !== undefined && !(Number.isInteger(niceness) && niceness >= -20 && niceness <= 19)) {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", `niceness is ${niceness}: give a whole number from -20 to 19`);
  }
  if (rootfs !== undefined && !isDirectory(rootfs)) {
    throw new AnyprocError("ANYPROC_ROOTFS_NOT_FOUND", `${rootfs}: no such directory: create it, or change rootfs`);
  }
  if (chroot && rootfs === undefined) {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", "chroot without rootfs: name the directory to become the root");
  }
  if (chroot && process.geteuid?.() !== 0) {
    throw unsupported(name, "chroot", "run as root on a POSIX system, or use @anyproc/proot, which needs no root");
  }
  return {
    name,
    cwd: options.cwd,
    env: options.env ?? {},
    inheritEnv: options.inheritEnv ?? true,
    detached: options.detached ?? false,
    niceness,
    rootfs,
    chroot,
  };
}
