import { chmodSync, chownSync, fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from "node:fs";
import {
  formatRootfsOwner,
  type RootfsMetadata,
  type RootfsOwner,
  rootfsOwnerAttribute,
  systemErrorCode,
} from "@anyproc/core";
import { type ByteString, bytesOf, printable, type TarEntry } from "@anyproc/core/tar";
import type { DirectoryAttributes } from "./directory-table.ts";
import type { TreePath } from "./directory-tree.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { NativeFiles } from "./native-files.ts";
import { createNoteTable, type Note, type NoteTable } from "./note-table.ts";

/** How attributes are given. */
export interface AttributeOptions {
  /** Owners and devices are made real, which needs root; else they are written down. */
  readonly privileged: boolean;
  readonly native: NativeFiles | undefined;
  readonly memory: MemoryBudget;
}

// What a kernel or file system says that cannot or may not keep an attribute.
const refusals = new Set(["EPERM", "EACCES", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSPC", "E2BIG", "ERANGE", "ENOSYS"]);

/** Gives entries their attributes, and keeps a note of each that the file system refuses. */
export class AttributeWriter {
  readonly #privileged: boolean;
  readonly #native: NativeFiles | undefined;
  readonly #notes: NoteTable;
  #hasMarks = false;

  constructor({ privileged, native, memory }: AttributeOptions) {
    this.#notes = createNoteTable(memory);
    this.#privileged = privileged;
    this.#native = native;
  }

  /** Makes a file with content and attributes in one call. False when that is not possible, and nothing was done. */
  makeFile(host: string | Buffer, path: TreePath, entry: TarEntry, content: Buffer): boolean {
    const { mode, uid, gid, mtime, xattrs } = entry;
    if (!this.#native || xattrs.size > 0) return false;
    const owner = this.#privileged ? ([uid, gid] as const) : ([-1, -1] as const);
    const isOwned = this.#native.createFile(
      Buffer.from(host),
      content,
      mode,
      ...owner,
      mtime.seconds,
      mtime.nanoseconds,
    );
    const isNoted = this.#privileged ? !isOwned : !isDefaultOwner(entry);
    if (isNoted && !this.#privileged) this.#markClosed(host, entry);
    this.#note(path, isNoted ? { uid, gid } : {});
    return true;
  }

  /** For a new file that is open, after its content was written: chown(2) and write(2) take set-user-ID bits away. */
  setFile(descriptor: number, host: string | Buffer, path: TreePath, entry: TarEntry): void {
    const note = this.#owner(host, entry, () => fchownSync(descriptor, entry.uid, entry.gid));
    this.#xattrs(host, entry.xattrs, note);
    fchmodSync(descriptor, entry.mode);
    if (this.#native && needsExactTime(entry)) this.#exactTime(host, entry);
    else futimesSync(descriptor, seconds(entry), seconds(entry));
    this.#note(path, note);
  }

  setSymlink(host: string | Buffer, path: TreePath, entry: TarEntry): void {
    const note = this.#owner(host, entry, () => lchownSync(host, entry.uid, entry.gid));
    this.#xattrs(host, entry.xattrs, note);
    this.#time(host, entry);
    this.#note(path, note);
  }

  /** For a device, a fifo, or the empty file that stands for one. */
  setNode(host: string | Buffer, path: TreePath, entry: TarEntry, isReal: boolean): void {
    const note = this.#owner(host, entry, () => chownSync(host, entry.uid, entry.gid));
    if (!isReal) {
      const type = entry.type as NonNullable<Note["type"]>;
      Object.assign(note, { type }, type !== "fifo" && entry.device);
    }
    this.#xattrs(host, entry.xattrs, note);
    chmodSync(host, entry.mode);
    this.#time(host, entry);
    this.#note(path, note);
  }

  /** For a directory, when nothing more is to be put into it. */
  setDirectory(host: string | Buffer, path: TreePath, attributes: DirectoryAttributes): void {
    const note = this.#owner(host, attributes, () => chownSync(host, attributes.uid, attributes.gid));
    // The root comes last: its own mark tells that there are others.
    if (path === "" && this.#hasMarks) this.#mark(host, attributes);
    this.#xattrs(host, attributes.xattrs, note);
    // As an ordinary user, times may be set by the owner whatever the mode is.
    chmodSync(host, attributes.mode);
    this.#time(host, attributes);
    this.#note(path, note);
  }

  /** Makes a device or a fifo. False when this system or user cannot. */
  makeNode(host: string | Buffer, entry: TarEntry): boolean {
    if (!this.#native || (!this.#privileged && entry.type !== "fifo")) return false;
    // inode(7): S_IFCHR, S_IFBLK, S_IFIFO.
    const kind = entry.type === "fifo" ? 0o010000 : entry.type === "character-device" ? 0o020000 : 0o060000;
    try {
      this.#native.makeNode(Buffer.from(host), kind | 0o600, entry.device.major, entry.device.minor);
      return true;
    } catch (error) {
      if (refusals.has(systemErrorCode(error) ?? "")) return false;
      throw error;
    }
  }

  /** A hard link has the attributes of its target, the noted ones too. */
  linked(target: TreePath, path: TreePath): void {
    const note = this.#notes.get(target);
    if (note) this.#note(path, note);
  }

  removed(path: TreePath): void {
    this.#notes.delete(path);
  }

  /** Everything that was noted; undefined when the file system says it all. */
  metadata(): RootfsMetadata | undefined {
    if (this.#privileged && this.#notes.size === 0) return undefined;
    const notes = this.#notes;
    return {
      ...(!this.#privileged && { owner: { uid: 0, gid: 0 } }),
      entries: (function* entries() {
        for (const [path, note] of notes.latestFirst()) yield { path: bytesOf(path), ...note };
      })(),
    };
  }

  /** Before the mode is given: what may be closed then is open to its owner now. */
  #owner(
    host: string | Buffer,
    { uid, gid }: Pick<TarEntry, "uid" | "gid">,
    change: () => void,
  ): { -readonly [Key in keyof Note]: Note[Key] } {
    if (!this.#privileged) {
      if (isDefaultOwner({ uid, gid })) return {};
      this.#mark(host, { uid, gid });
      return { uid, gid };
    }
    try {
      change();
      return {};
    } catch (error) {
      // Root of a user namespace has only some ids.
      if (refusals.has(systemErrorCode(error) ?? "")) return { uid, gid };
      throw error;
    }
  }

  /** Notes an owner where programs that run in the rootfs see and change it: docs/rootfs-metadata.md. */
  #mark(host: string | Buffer, owner: RootfsOwner): void {
    this.#hasMarks =
      this.#setXattr(host, rootfsOwnerAttribute as ByteString, formatRootfsOwner(owner)) || this.#hasMarks;
  }

  #markClosed(host: string | Buffer, { mode, uid, gid }: TarEntry): void {
    const isClosed = (mode & 0o200) === 0;
    if (isClosed) chmodSync(host, mode | 0o200);
    this.#mark(host, { uid, gid });
    if (isClosed) chmodSync(host, mode);
  }

  #xattrs(
    host: string | Buffer,
    xattrs: TarEntry["xattrs"],
    note: { xattrs?: Readonly<Record<string, Uint8Array>> },
  ): void {
    for (const [name, value] of xattrs) {
      if (!this.#setXattr(host, name, value)) note.xattrs = { ...note.xattrs, [printable(name)]: value };
    }
  }

  #setXattr(host: string | Buffer, name: ByteString, value: Buffer): boolean {
    if (!this.#native) return false;
    try {
      this.#native.setXattr(Buffer.from(host), bytesOf(name), value);
      return true;
    } catch (error) {
      if (refusals.has(systemErrorCode(error) ?? "")) return false;
      throw error;
    }
  }

  #time(host: string | Buffer, entry: Pick<TarEntry, "mtime">): void {
    if (this.#native && needsExactTime(entry)) this.#exactTime(host, entry);
    else lutimesSync(host, seconds(entry), seconds(entry));
  }

  #exactTime(host: string | Buffer, { mtime }: Pick<TarEntry, "mtime">): void {
    this.#native?.setModificationTime(Buffer.from(host), mtime.seconds, mtime.nanoseconds);
  }

  #note(path: TreePath, note: Note): void {
    if (Object.keys(note).length === 0) this.#notes.delete(path);
    else this.#notes.set(path, note);
  }
}

/** What is not listed belongs to 0:0 in what an ordinary user unpacks. */
function isDefaultOwner({ uid, gid }: Pick<TarEntry, "uid" | "gid">): boolean {
  return uid === 0 && gid === 0;
}

/** node:fs keeps microseconds, and takes a time before 1970 for now. */
function needsExactTime({ mtime }: Pick<TarEntry, "mtime">): boolean {
  return mtime.nanoseconds !== 0 || mtime.seconds < 0;
}

function seconds({ mtime }: Pick<TarEntry, "mtime">): number {
  return mtime.seconds + mtime.nanoseconds / 1e9;
}
