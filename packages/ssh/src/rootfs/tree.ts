import { AnyprocError, type RootfsLoss } from "@anyproc/core";

export type EntryType = "file" | "directory" | "symlink" | "fifo" | "socket" | "block-device" | "character-device";

/** One name in a tree, with what a copy has to keep. */
export interface TreeEntry {
  /** Path below the tree's root, without a leading slash. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits, with those of setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds: what every transport keeps. */
  readonly mtime: number;
  /** Where a symlink leads. */
  readonly target?: string | undefined;
  /** The same for all names of one file; undefined where there is only one name, or where nobody can tell. */
  readonly inode?: string | undefined;
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number] | undefined;
}

/** A tree by its paths; parents come before their children. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** Where files wait, inside the target, until they take their places. A sync that was interrupted goes on from here. */
export const stagingName = ".anyproc-sync";

/** Sorts out what no copy could name, and orders the rest. */
export function toTree(entries: readonly TreeEntry[], losses: Losses): Map<string, TreeEntry> {
  const tree = new Map<string, TreeEntry>();
  for (const entry of entries) {
    if (entry.path.includes("\ufffd")) {
      losses.add(entry.path, "file type", "its name is not UTF-8, so it was left out: rename it");
    } else {
      tree.set(entry.path, entry);
    }
  }
  return tree;
}

/**
 * Refuses a path that would lead out of a tree.
 *
 * @throws ANYPROC_UNSAFE_PATH
 */
export function checkPath(path: string, source: string): string {
  if (path.includes("\0") || path.split("/").some((name) => ["", ".", ".."].includes(name))) {
    throw unsafePath(path, source);
  }
  return path;
}

export function unsafePath(path: string, source: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `${source}: ${JSON.stringify(path)} is no path inside the tree: nothing was written there; do not trust this source`,
  );
}

/** What the entry is, by the facts that node:fs and ssh2 give alike. */
export function entryType(stats: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
}): EntryType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isCharacterDevice() ? "character-device" : "socket";
}

/** Path of the directory that a path is in; empty at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Groups entries by how deep they lie, deepest first: a directory may lose the permissions by which others are reached. */
export function byDepth<T extends { readonly path: string }>(entries: Iterable<T>): T[][] {
  const levels: T[][] = [];
  for (const entry of entries) {
    const depth = entry.path === "." ? 0 : entry.path.split("/").length;
    levels[depth] ??= [];
    levels[depth].push(entry);
  }
  return levels.filter((level) => level !== undefined).reverse();
}

const lossLimit = 100;

/** What could not be kept, counted, and the first of it told. */
export class Losses {
  readonly list: RootfsLoss[] = [];
  count = 0;

  add(path: string, what: RootfsLoss["what"], reason: string): void {
    this.count += 1;
    if (this.list.length < lossLimit) this.list.push({ path, what, reason });
  }
}
