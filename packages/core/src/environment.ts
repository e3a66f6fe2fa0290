import type { Readable, Writable } from "node:stream";
import type { CommandInput } from "./command.ts";
import type { Process } from "./process/process.ts";
import type { SignalName } from "./signals.ts";

/** What an environment can do, as data. Asking for what is false raises ANYPROC_UNSUPPORTED, never silence. */
export interface Capabilities {
  /** Commands may ask for a terminal. */
  readonly pty: boolean;
  /** Streams may be inherited from this Node process. */
  readonly inherit: boolean;
  /** `all`: any signal by name. `terminate`: every signal ends the program (Windows). */
  readonly signals: "all" | "terminate";
  /** Commands may name a user. */
  readonly user: boolean;
  /** `environment.fs` is there. */
  readonly files: boolean;
  /** argv may hold bytes that are not UTF-8. */
  readonly binaryArguments: boolean;
  /** Which process `process.pid` names: the program on this machine, its supervisor on this machine, or none. */
  readonly pid: "program" | "supervisor" | "none";
  /** Ending a process ends every descendant (`all`), or those that can still be found (`found`). */
  readonly tree: "all" | "found";
  /** What becomes of descendants when the program ends by itself: they `live` on, or are `ended` with it. */
  readonly orphans: "live" | "ended";
}

/** How long a process may live, and how it is ended. */
export interface SpawnOptions {
  /** Ends the process and its tree when aborted. */
  readonly signal?: AbortSignal;
  /** Ends the process and its tree after this long, in milliseconds; so long may its start take, too. @default no limit */
  readonly timeoutMs?: number;
  /** What the tree is asked to stop with, on timeout, abort and close(). @default "SIGTERM" */
  readonly killSignal?: SignalName;
  /** How long the tree may take to stop before SIGKILL, in milliseconds. @default 5000 */
  readonly forceKillAfterMs?: number;
}

/** A place where programs run. */
export interface Environment extends AsyncDisposable {
  /** Name for messages: `host`, `proot:/srv/debian`, ... */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** The environment's files; only where `capabilities.files` is true. */
  readonly fs?: FileSystem;
  /**
   * A process that has not been started: attach to it, then `start()` it.
   *
   * @throws ANYPROC_INVALID_COMMAND, ANYPROC_INVALID_OPTION, ANYPROC_UNSUPPORTED
   */
  create(command: CommandInput, options?: SpawnOptions): Process;
  /**
   * Creates and starts a process.
   *
   * @throws whatever create() and Process.start() throw, as a rejection
   */
  spawn(command: CommandInput, options?: SpawnOptions): Promise<Process>;
  /** Closes every process that is still running and lets go of what the environment holds. Idempotent. */
  close(): Promise<void>;
}

/** Facts about one file: the subset of node:fs `Stats` that every environment can give. */
export interface FileStats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** Files of an environment, under the names of node:fs/promises. Paths are absolute, in the environment's terms. */
export interface FileSystem {
  readFile(path: string): Promise<Buffer>;
  writeFile(path: string, data: string | Uint8Array, options?: { readonly mode?: number }): Promise<void>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<FileStats>;
  lstat(path: string): Promise<FileStats>;
  mkdir(path: string, options?: { readonly recursive?: boolean; readonly mode?: number }): Promise<void>;
  rm(path: string, options?: { readonly recursive?: boolean; readonly force?: boolean }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  chmod(path: string, mode: number): Promise<void>;
  createReadStream(path: string): Readable;
  createWriteStream(path: string, options?: { readonly mode?: number }): Writable;
}
