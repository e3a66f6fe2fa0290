import { lstatSync, mkdirSync, opendirSync, readlinkSync, rmdirSync, type Stats, unlinkSync } from "node:fs";
import { systemErrorCode } from "@anyproc/core";
import { type ByteString, printable } from "@anyproc/core/tar";
import { imageError } from "../errors.ts";
import { createDirectoryTable, type DirectoryAttributes, type DirectoryTable } from "./directory-table.ts";
import { unsafe } from "./entry-path.ts";
import { hostPath } from "./host-path.ts";
import type { MemoryBudget } from "./memory-budget.ts";

/** A path below the root, without a link on the way to it: `""` is the root itself, else `a/b`. */
export type TreePath = ByteString;

// path_resolution(7): the kernel follows at most 40 symbolic links.
const mostLinks = 40;

/** What a tree begins with. */
export interface TreeOptions {
  /** Absolute path of an empty directory. */
  readonly root: ByteString;
  /** Of the root. */
  readonly attributes: DirectoryAttributes;
  readonly memory: MemoryBudget;
  readonly onRemove: (path: TreePath) => void;
}

/**
 * The directories of a tree that nobody else changes. Every directory in it was made here and is known by its path, so
 * that a path made of known directories cannot lead elsewhere; whatever else is in the way is looked at, one component
 * at a time, and links are followed as if the tree were the root of the file system.
 */
export class DirectoryTree {
  readonly root: ByteString;
  /** Every directory, with what it will be given at the end. */
  readonly directories: DirectoryTable;
  readonly #onRemove: (path: TreePath) => void;
  #lastParent: { readonly key: ByteString; readonly path: TreePath } | undefined;

  constructor({ root, attributes, memory, onRemove }: TreeOptions) {
    this.root = root;
    this.directories = createDirectoryTable(memory);
    this.directories.set("", attributes);
    this.#onRemove = onRemove;
  }

  /** The place in the file system. */
  host(path: TreePath): string | Buffer {
    return hostPath(path === "" ? this.root : `${this.root}/${path}`);
  }

  /** What is there, not followed. */
  lstat(path: TreePath): Stats | undefined {
    return lstatSync(this.host(path), { throwIfNoEntry: false });
  }

  /**
   * The directory that names lead to, none of which is empty, `.` or `..`. Missing ones are made with `make`, or the answer is undefined.
   *
   * @throws ANYPROC_UNSAFE_PATH for links that go on for ever, ANYPROC_ARCHIVE_INVALID for a file in the way
   */
  resolve(names: readonly ByteString[], make?: (path: TreePath) => DirectoryAttributes): TreePath | undefined {
    const key = names.join("/");
    if (this.#lastParent?.key === key) return this.#lastParent.path;
    if (this.directories.has(key)) return this.#remember(key, key);
    const pending = [...names];
    let path: TreePath = "";
    let links = 0;
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        path = parentOf(path);
        continue;
      }
      const next: TreePath = path === "" ? name : `${path}/${name}`;
      if (this.directories.has(next)) {
        path = next;
        continue;
      }
      const stats = this.lstat(next);
      if (!stats) {
        if (!make) return undefined;
        this.makeDirectory(next, make(next));
        path = next;
      } else if (stats.isSymbolicLink()) {
        links += 1;
        if (links > mostLinks) throw unsafe(key, "leads through too many symbolic links");
        const target = readlinkSync(this.host(next), "latin1");
        if (target.startsWith("/")) path = "";
        pending.unshift(...target.split("/"));
      } else {
        throw imageError(
          "ANYPROC_ARCHIVE_INVALID",
          `the entry ${JSON.stringify(printable(key))} lies below ${JSON.stringify(printable(next))}, which is no directory`,
        );
      }
    }
    return this.#remember(key, path);
  }

  #remember(key: ByteString, path: TreePath): TreePath {
    this.#lastParent = { key, path };
    return path;
  }

  /** Makes a directory that nobody but us may enter until finish(). Fails with EEXIST when something is there. */
  makeDirectory(path: TreePath, attributes: DirectoryAttributes): void {
    mkdirSync(this.host(path), 0o700);
    this.directories.set(path, attributes);
  }

  /** Makes something in the place of what is there. */
  replace(path: TreePath, make: (host: string | Buffer) => void): void {
    const host = this.host(path);
    try {
      make(host);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      this.remove(path);
      make(host);
    }
  }

  /** Removes what is there, with everything below. */
  remove(path: TreePath): void {
    this.removeUnless(path, () => false);
  }

  /** Removes what is there and below, but for what is to be kept and the directories on the way to it. */
  removeUnless(path: TreePath, isKept: (path: TreePath) => boolean): void {
    this.#lastParent = undefined;
    if (this.directories.has(path)) this.#removeDirectoryUnless(path, isKept);
    else if (!isKept(path)) this.#unlink(path);
  }

  /** True when it is gone. */
  #removeDirectoryUnless(path: TreePath, isKept: (path: TreePath) => boolean): boolean {
    // A directory that is changed while it is read need not be read in full.
    do {
      if (!this.#emptyUnless(path, isKept) || isKept(path)) return false;
    } while (!isRemoved(this.host(path)));
    this.directories.delete(path);
    this.#onRemove(path);
    return true;
  }

  /** Removes what is in a directory, but for what is to be kept. True when nothing of it was to be kept. */
  #emptyUnless(path: TreePath, isKept: (path: TreePath) => boolean): boolean {
    const inner: TreePath[] = [];
    let isEmpty = true;
    // One by one: a million names at once would take more memory than there is for them.
    const directory = opendirSync(this.host(path), { encoding: "latin1" });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        const place: TreePath = path === "" ? entry.name : `${path}/${entry.name}`;
        if (this.directories.has(place)) inner.push(place);
        else if (isKept(place)) isEmpty = false;
        else this.#unlink(place);
      }
    } finally {
      directory.closeSync();
    }
    for (const place of inner) isEmpty = this.#removeDirectoryUnless(place, isKept) && isEmpty;
    return isEmpty;
  }

  /** Removes what is in a directory, but for what is to be kept. */
  empty(path: TreePath, isKept: (path: TreePath) => boolean): void {
    this.#lastParent = undefined;
    this.#emptyUnless(path, isKept);
  }

  #unlink(path: TreePath): void {
    try {
      unlinkSync(this.host(path));
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw error;
      return;
    }
    this.#onRemove(path);
  }
}

/** False for a directory that is not empty. */
function isRemoved(host: string | Buffer): boolean {
  try {
    rmdirSync(host);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOTEMPTY") return false;
    throw error;
  }
}

/** The directory above; the root's is the root. */
function parentOf(path: TreePath): TreePath {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}
