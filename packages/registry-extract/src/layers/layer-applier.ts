import { closeSync, constants, copyFileSync, linkSync, openSync, readlinkSync, symlinkSync } from "node:fs";
import { systemErrorCode } from "@anyproc/core";
import { type ByteString, type EntrySink, printable, type TarEntry } from "@anyproc/core/tar";
import { imageError } from "../errors.ts";
import type { AttributeWriter } from "./attributes.ts";
import { createDirectoryTable, type DirectoryAttributes, type DirectoryTable } from "./directory-table.ts";
import { DirectoryTree, type TreePath } from "./directory-tree.ts";
import { readEntryName, splitPath, unsafe } from "./entry-path.ts";
import { createEmptyFile, FileWriter } from "./file-writer.ts";
import type { LimitCounter } from "./limits.ts";
import type { LowerFile } from "./lower-layers.ts";
import type { PathFilter } from "./path-filter.ts";
import { PathSet } from "./path-set.ts";
import type { WhiteoutWriter } from "./whiteout-writer.ts";

// Of a string in a set.
const mostStringOverhead = 64;

/** What layers are applied with. */
export interface ApplierOptions {
  /** Absolute path of an empty directory that nobody else may enter. */
  readonly root: ByteString;
  readonly attributes: AttributeWriter;
  readonly limits: LimitCounter;
  readonly filter?: PathFilter | undefined;
  readonly stripComponents?: number | undefined;
  /** Files that the filter leaves out, but that hard links need; they are removed in the end. */
  readonly linkTargets?: ReadonlySet<ByteString> | undefined;
  /** Finds a hard link's target in lower layers, for a layer that is unpacked by itself. */
  readonly findInLower?: ((names: readonly ByteString[]) => LowerFile | undefined) | undefined;
}

/**
 * Applies layers to a directory, lowest first (OCI image-spec, layer.md). All file system calls are synchronous: it is
 * made for a thread of its own.
 */
export class LayerApplier {
  readonly tree: DirectoryTree;
  /** Hard links whose target the filter left out. */
  readonly missingTargets: Set<ByteString> = new Set();
  readonly #options: ApplierOptions;
  readonly #attributes: AttributeWriter;
  readonly #skippedDirectories: DirectoryTable;
  /** What the present layer made; undefined in the lowest one, which has nothing to hide. */
  #made: PathSet | undefined;
  #whiteouts: WhiteoutWriter | undefined;
  /** What the present layer hides, where whiteouts are kept. */
  readonly #hidden: PathSet;
  #file: FileWriter | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#attributes = options.attributes;
    const { memory } = options.limits;
    this.#skippedDirectories = createDirectoryTable(memory);
    this.#hidden = new PathSet(memory);
    this.tree = new DirectoryTree({
      root: options.root,
      attributes: implicitAttributes({ seconds: 0, nanoseconds: 0 }),
      memory,
      onRemove: (path) => this.#attributes.removed(path),
    });
  }

  /** Begins the next layer. */
  beginLayer({ isLowest, whiteouts }: { readonly isLowest: boolean; readonly whiteouts?: WhiteoutWriter }): void {
    this.#made?.clear();
    this.#made = isLowest ? undefined : new PathSet(this.#options.limits.memory);
    this.#whiteouts = whiteouts;
    this.#hidden.clear();
    this.#options.limits.beginLayer();
  }

  /** Applies an entry; a file's content goes to the sink. */
  apply(entry: TarEntry): EntrySink | undefined {
    this.#options.limits.addEntry();
    const name = readEntryName(entry.path, this.#options.stripComponents ?? 0);
    switch (name?.kind) {
      case "whiteout":
        this.#hide(name.names);
        return undefined;
      case "opaque":
        this.#hideAll(name.names);
        return undefined;
      case "plain":
        return this.#make(name.names, entry);
      default:
        return undefined;
    }
  }

  /** Gives directories their attributes, when every layer has been applied. */
  finish(): void {
    for (const path of this.#options.linkTargets ?? []) {
      if (this.#options.filter?.(path) !== false) continue;
      const names = splitPath(path);
      const parent = this.tree.resolve(names.slice(0, -1));
      if (parent !== undefined) this.tree.remove(join(parent, names.at(-1) as ByteString));
    }
    // A directory may be closed to its own owner: what is in it, which came after it, is to be done by then.
    for (const [path, attributes] of this.tree.directories.latestFirst()) {
      this.#attributes.setDirectory(this.tree.host(path), path, attributes);
    }
  }

  /** Lets go of a file that was being written, after a failure. */
  abandon(): void {
    this.#file?.abandon();
  }

  #make(names: readonly ByteString[], entry: TarEntry): EntrySink | undefined {
    const base = names.at(-1);
    if (base === undefined) {
      if (entry.type !== "directory") throw unsafe(entry.path, "would replace the root directory");
      this.tree.directories.set("", entry);
      return undefined;
    }
    if (!this.#isWanted(names.join("/"))) {
      if (entry.type === "directory") this.#skippedDirectories.set(names.join("/"), entry);
      return undefined;
    }
    const parent = this.tree.resolve(names.slice(0, -1), (path) => this.#implicit(path, entry)) as TreePath;
    const path = join(parent, base);
    this.#made?.add(path);
    switch (entry.type) {
      case "directory":
        this.#makeDirectory(path, entry);
        return undefined;
      case "file":
        return this.#makeFile(path, entry);
      case "hardlink":
        this.#makeHardLink(path, entry);
        return undefined;
      case "symlink":
        this.#makeSymlink(path, entry);
        return undefined;
      default:
        this.#makeNode(path, entry);
        return undefined;
    }
  }

  #isWanted(path: ByteString): boolean {
    const { filter, linkTargets } = this.#options;
    return !filter || filter(path) || linkTargets?.has(path) === true;
  }

  /** Attributes of a directory that no entry was seen for, or one that the filter passed over. */
  #implicit(path: TreePath, entry: TarEntry): DirectoryAttributes {
    this.#options.limits.addEntry();
    this.#made?.add(path);
    return this.#skippedDirectories.get(path) ?? implicitAttributes(entry.mtime);
  }

  #makeDirectory(path: TreePath, entry: TarEntry): void {
    if (this.tree.directories.has(path)) this.tree.directories.set(path, entry);
    else this.tree.replace(path, () => this.tree.makeDirectory(path, entry));
    if (this.#hidden.has(path)) this.#whiteouts?.hideAll(path);
  }

  #makeFile(path: TreePath, entry: TarEntry): EntrySink {
    this.#file = new FileWriter(this.tree, this.#attributes, path, entry);
    return this.#file;
  }

  #makeHardLink(path: TreePath, entry: TarEntry): void {
    const all = splitPath(entry.linkPath);
    const names = all.slice(this.#options.stripComponents ?? 0);
    const base = names.at(-1);
    const parent = base === undefined ? undefined : this.tree.resolve(names.slice(0, -1));
    const target = parent === undefined ? undefined : join(parent, base as ByteString);
    if (target === path) return;
    if (target === undefined || !this.tree.lstat(target)) {
      const lower = this.#options.findInLower?.(names);
      if (lower) {
        this.#copy(lower, path, entry);
        return;
      }
      if (this.#options.filter && !this.#isWanted(names.join("/"))) {
        this.#miss(names.join("/"));
        return;
      }
      throw imageError("ANYPROC_ARCHIVE_INVALID", `${linkName(entry)}: there is no such file`);
    }
    if (this.tree.directories.has(target)) {
      throw imageError("ANYPROC_ARCHIVE_INVALID", `${linkName(entry)}: is a directory, which cannot have hard links`);
    }
    const link = (host: string | Buffer) => linkSync(this.tree.host(target), host);
    try {
      this.tree.replace(path, link);
    } catch (error) {
      // The link took the place of a directory that its own target was in.
      if (systemErrorCode(error) !== "ENOENT") throw error;
      throw imageError("ANYPROC_ARCHIVE_INVALID", `${linkName(entry)}: there is no such file any more`, error);
    }
    this.#attributes.linked(target, path);
  }

  #miss(target: ByteString): void {
    if (this.missingTargets.has(target)) return;
    // Here, on the way to the thread that is told, and there.
    this.#options.limits.memory.take(3 * (target.length + mostStringOverhead));
    this.missingTargets.add(target);
  }

  /** A layer by itself cannot share a file with another one: it gets its own, as a copy-on-write stack would make it. */
  #copy({ host: source, stats }: LowerFile, path: TreePath, entry: TarEntry): void {
    if (stats.isSymbolicLink()) {
      const linkPath = readlinkSync(source, "latin1");
      this.#makeSymlink(path, { ...entry, type: "symlink", linkPath });
      return;
    }
    if (!stats.isFile()) throw imageError("ANYPROC_ARCHIVE_INVALID", `${linkName(entry)}: is no file`);
    this.tree.replace(path, (host) => copyFileSync(source, host, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
    const descriptor = openSync(this.tree.host(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      this.#attributes.setFile(descriptor, this.tree.host(path), path, { ...entry, type: "file" });
    } finally {
      closeSync(descriptor);
    }
  }

  #makeSymlink(path: TreePath, entry: TarEntry): void {
    this.tree.replace(path, (host) => {
      symlinkSync(Buffer.from(entry.linkPath, "latin1"), host);
      this.#attributes.setSymlink(host, path, entry);
    });
  }

  #makeNode(path: TreePath, entry: TarEntry): void {
    this.tree.replace(path, (host) => {
      const isReal = this.#attributes.makeNode(host, entry);
      if (!isReal) createEmptyFile(host);
      this.#attributes.setNode(host, path, entry, isReal);
    });
  }

  #hide(names: readonly ByteString[]): void {
    const base = names.at(-1) as ByteString;
    if (this.#whiteouts) {
      const directory = this.#layerDirectory(names.slice(0, -1));
      const path = join(directory, base);
      this.#hidden.add(path);
      // What the layer has at this place is not hidden; of a directory, only what is below it in lower layers.
      if (this.tree.directories.has(path)) this.#whiteouts.hideAll(path);
      else this.#whiteouts.hide(directory, base);
      return;
    }
    const parent = this.tree.resolve(names.slice(0, -1));
    const made = this.#made;
    if (parent === undefined || !made) return;
    this.tree.removeUnless(join(parent, base), (path) => made.has(path));
  }

  #hideAll(names: readonly ByteString[]): void {
    if (this.#whiteouts) {
      this.#whiteouts.hideAll(this.#layerDirectory(names));
      return;
    }
    const directory = this.tree.resolve(names);
    const made = this.#made;
    if (directory === undefined || !made) return;
    this.tree.empty(directory, (path) => made.has(path));
  }

  /** The directory that a whiteout of a layer by itself lies in, which need not have an entry. */
  #layerDirectory(names: readonly ByteString[]): TreePath {
    return this.tree.resolve(names, () => {
      this.#options.limits.addEntry();
      return implicitAttributes({ seconds: 0, nanoseconds: 0 });
    }) as TreePath;
  }
}

function join(directory: TreePath, name: ByteString): TreePath {
  return directory === "" ? name : `${directory}/${name}`;
}

function implicitAttributes(mtime: TarEntry["mtime"]): DirectoryAttributes {
  return { mode: 0o755, uid: 0, gid: 0, mtime, xattrs: new Map() };
}

function linkName(entry: TarEntry): string {
  return `the hard link ${JSON.stringify(printable(entry.path))} to ${JSON.stringify(printable(entry.linkPath))}`;
}
