import type { FileStats } from "@anyproc/core";
import type { EntryType, ReadEntry } from "@anyproc/core/tar";

// inode(7): the type's bits of a mode.
const typeBits: Readonly<Record<EntryType | "unknown", number>> = {
  file: 0o100000,
  hardlink: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  "character-device": 0o020000,
  "block-device": 0o060000,
  fifo: 0o010000,
  unknown: 0,
};

/** The facts of an entry under the names of node:fs. */
export function fileStats({ type, mode, uid, gid, size, mtime }: ReadEntry["entry"]): FileStats {
  return {
    mode: typeBits[type] | mode,
    uid,
    gid,
    size,
    mtimeMs: mtime.seconds * 1000 + mtime.nanoseconds / 1e6,
    isFile: () => type === "file" || type === "hardlink",
    isDirectory: () => type === "directory",
    isSymbolicLink: () => type === "symlink",
  };
}
