import type { BigIntStats } from "node:fs";
import { chmod, lstat, mkdir, readlink, rm } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import { bytesOf, invalidArchive, type TarEntry } from "@anyproc/core/tar";
import { unsafePath } from "./entry-path.ts";

// Linux gives up after as many: path_resolution(7).
const symlinkLimit = 40;
const ownerMayAll = 0o700;

/**
 * A directory that is being filled, and the one way to get at places in it: every directory on the way is known to be
 * a real one inside, symlinks are followed as from inside, and nothing leads above it.
 *
 * This holds as long as nobody else changes the tree at the same time.
 */
export class Tree {
  readonly root: string;
  /** Directories, by path, that were looked at and are no symlinks. */
  readonly #known: Set<string> = new Set();
  /** Modes to restore of directories that had to be opened up. */
  readonly #opened: Map<string, number> = new Map();

  /** @param root absolute path, as bytes (see TarEntry) */
  constructor(root: string) {
    this.root = root;
  }

  path(components: readonly string[]): Buffer {
    return bytesOf([this.root, ...components].join("/"));
  }

  /** The real place of a directory; it and its parents are made when they are missing. */
  async directory(components: readonly string[], entry: TarEntry): Promise<string[]> {
    const pending = [...components].reverse();
    const real: string[] = [];
    let symlinks = 0;
    await this.#enter(real);
    while (pending.length > 0) {
      const component = pending.pop() ?? "";
      if (component === "" || component === ".") continue;
      if (component === "..") {
        if (real.pop() === undefined) throw unsafePath(entry, "a symlink on its way climbs above the rootfs");
        continue;
      }
      const next = [...real, component];
      const found = this.#known.has(next.join("/")) ? "directory" : await this.#look(next, entry);
      if (found !== "directory") {
        symlinks += 1;
        if (symlinks > symlinkLimit) throw unsafePath(entry, "too many symlinks are on its way");
        if (found.target.startsWith("/")) real.length = 0;
        pending.push(...found.target.split("/").reverse());
        continue;
      }
      real.push(component);
      await this.#enter(real);
    }
    return real;
  }

  /** What is there, without following a symlink. */
  async look(components: readonly string[]): Promise<BigIntStats | undefined> {
    return lstat(this.path(components), { bigint: true }).catch(missing);
  }

  /** Removes what is there. */
  async remove(components: readonly string[]): Promise<void> {
    const stats = await this.look(components);
    if (!stats) return;
    // Names may differ and mean one directory, where a file system ignores case: forget them all.
    if (stats.isDirectory()) this.#known.clear();
    await rm(this.path(components), { recursive: true });
  }

  /** True when all of this is a real directory, as it stands and with no symlink on the way. */
  async holds(components: readonly string[]): Promise<boolean> {
    for (let length = 1; length <= components.length; length += 1) {
      const place = components.slice(0, length);
      if (!this.#known.has(place.join("/")) && !(await this.look(place))?.isDirectory()) return false;
    }
    return true;
  }

  /** A directory's mode has been set for good: it is not put back. */
  forgetMode(components: readonly string[]): void {
    this.#opened.delete(components.join("/"));
  }

  /** Puts the modes back of directories that were opened up. */
  async restoreModes(): Promise<void> {
    for (const [path, mode] of [...this.#opened].reverse()) {
      const place = path === "" ? [] : path.split("/");
      // It may have been replaced by a symlink since, and chmod(2) would follow that.
      if (await this.holds(place)) await chmod(this.path(place), mode);
    }
    this.#opened.clear();
  }

  async #look(components: readonly string[], entry: TarEntry): Promise<"directory" | { readonly target: string }> {
    const stats = await this.look(components);
    if (!stats) {
      await mkdir(this.path(components), { mode: 0o755 });
      return "directory";
    }
    if (stats.isDirectory()) return "directory";
    if (stats.isSymbolicLink()) {
      return { target: (await readlink(this.path(components), { encoding: "buffer" })).toString("latin1") };
    }
    throw invalidArchive(`${JSON.stringify(entry.path)} is inside something that is not a directory`);
  }

  /** Opens up a directory whose owner may not write into it. */
  async #enter(components: readonly string[]): Promise<void> {
    const key = components.join("/");
    if (this.#known.has(key)) return;
    const stats = await lstat(this.path(components));
    if ((stats.mode & ownerMayAll) !== ownerMayAll && process.geteuid?.() === stats.uid && stats.uid !== 0) {
      this.#opened.set(key, stats.mode & 0o7777);
      await chmod(this.path(components), (stats.mode & 0o7777) | ownerMayAll);
    }
    this.#known.add(key);
  }
}

function missing(error: unknown): undefined {
  if (systemErrorCode(error) !== "ENOENT") throw error;
}
