import { formatGnuHeader, toByteString } from "@anyproc/core/tar";
import type { TreeEntry } from "./tree.ts";

/**
 * The header of an entry, ahead of its content, in the format that every tar reads. Directories are writable until all
 * is in them.
 *
 * @param linkTo the name that carries the content, where this is a further name of the same file
 */
export function tarHeader(entry: TreeEntry, linkTo?: string): Buffer {
  const [major = 0, minor = 0] = entry.device ?? [];
  const isLink = linkTo !== undefined;
  return formatGnuHeader({
    // Sockets are left out of every plan.
    type: isLink ? "hardlink" : entry.type === "socket" ? "file" : entry.type,
    path: toByteString(entry.path),
    linkPath: toByteString(linkTo ?? entry.target ?? ""),
    mode: entry.type === "directory" ? entry.mode | 0o700 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === "file" && !isLink ? entry.size : 0,
    mtime: { seconds: entry.mtime, nanoseconds: 0 },
    device: { major, minor },
    xattrs: new Map(),
  });
}
