import type { Command } from "./command.ts";
import type { FileSystem } from "./environment.ts";

/** A place of the host that the guest sees. */
export interface Bind {
  /** Absolute path on the host: a directory or a file. */
  readonly host: string;
  /** Absolute path in the guest. @default the same path */
  readonly guest?: string;
  /** Every change is refused with EROFS. @default false */
  readonly readOnly?: boolean;
  /** Where `guest` is a symlink, cover the link itself instead of what it leads to. @default false */
  readonly noFollow?: boolean;
  /** Leave the bind out when the host does not have it, instead of failing. @default false */
  readonly optional?: boolean;
}

/**
 * Executes the programs of another processor, wherever a program in the guest starts one: as
 * `PROGRAM [OPTION ARGV0] FILE ARG...`.
 */
export interface Runner {
  /** `e_machine` of elf(5): 183 for aarch64, 40 for arm, 243 for riscv, ... */
  readonly machine: number;
  /** Absolute path in the guest, usually that of a bind. */
  readonly program: string;
  /** Option by which it takes the program's argv[0], such as `-0` for qemu. @default argv[0] is lost */
  readonly argv0Option?: string;
}

/** What a guest is made of. An extension gets it as the options and the extensions before have left it. */
export interface GuestSetup {
  /** Directory on the host that becomes the guest's `/`. */
  readonly rootfs: string;
  /** Bound before `binds`, so that these win at one guest path. */
  readonly defaultBinds: readonly Bind[];
  readonly binds: readonly Bind[];
  /** The first one for a machine counts. None is for this machine's own programs. */
  readonly runners: readonly Runner[];
}

/** A guest that is ready to run commands, as extensions see it. */
export interface Guest {
  /** Absolute path of the host, without links. */
  readonly rootfs: string;
  /** The guest's files, by their paths in the guest. */
  readonly files: FileSystem;
  /**
   * The host's path of what the guest has at `path`, links followed in guest terms.
   *
   * @throws an Error with the code ENOENT, ENOTDIR, ELOOP or EACCES
   */
  hostPath(path: string): Promise<string>;
  /** Where the guest would find a command's program: by its path, or in the command's PATH. Undefined for nowhere. */
  findProgram(command: Command): Promise<GuestProgram | undefined>;
}

/** A program's file, by both of its paths. */
export interface GuestProgram {
  readonly guest: string;
  readonly host: string;
}

/**
 * What changes a guest before it starts. Extensions are applied in the order of the list that names them: each hook
 * gets what the one before it has made. None is called while a command runs.
 *
 * @example
 * const shared: GuestExtension = {
 *   name: "shared",
 *   setUp: ({ binds }) => ({ binds: [...binds, { host: "/srv/shared", guest: "/shared", readOnly: true }] }),
 * };
 */
export interface GuestExtension {
  /** For messages. */
  readonly name: string;
  /** Once, before the guest is there: returns what it wants different. */
  setUp?(setup: GuestSetup): Partial<GuestSetup> | undefined | Promise<Partial<GuestSetup> | undefined>;
  /**
   * For each path that the caller names: a command's `cwd`, its program when it has a slash, and every path given to
   * `fs`. Returns the path in the guest that is meant. What programs in the guest name themselves is theirs: binds
   * decide that.
   */
  resolvePath?(path: string): string;
  /**
   * For each command, before its program is looked up: returns what is to be run instead, or the command itself. What
   * programs in the guest execute is theirs: binds and runners decide that.
   */
  resolveCommand?(command: Command, guest: Guest): Command | Promise<Command>;
  /**
   * Lets go of what `setUp` took: when the guest is closed, or could not be made. Called in reverse order, and only for
   * extensions whose `setUp` had succeeded.
   */
  release?(): void | Promise<void>;
}
