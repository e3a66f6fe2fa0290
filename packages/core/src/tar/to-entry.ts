import type { EntryType, TarEntry, UnknownEntry } from "./entry.ts";
import type { Extension } from "./extended-headers.ts";
import type { Header } from "./header.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { parsePaxTime, paxCount } from "./pax.ts";
import { type OldSparseMap, type PaxSparse, paxSparse } from "./sparse.ts";

/** An entry, and how its content lies in the archive. */
export interface PlacedEntry {
  readonly entry: TarEntry | UnknownEntry;
  /** Bytes that the archive holds of it. */
  readonly archived: number;
  readonly sparse: PaxSparse | undefined;
}

const types: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  D: "directory",
  "6": "fifo",
};

// POSIX keeps -1 for "no such user".
const mostId = 0xffff_fffe;

/** Puts a header and the extended headers before it together. @throws ANYPROC_ARCHIVE_INVALID */
export function toEntry(header: Header, extension: Extension, oldMap: OldSparseMap | undefined): PlacedEntry {
  const { typeFlag } = header;
  const path = extension.longPath ?? extension.get("GNU.sparse.name") ?? extension.get("path") ?? header.path;
  const type = typeOf(typeFlag, path);
  const isLink = type === "hardlink" || type === "symlink";
  const linkPath = isLink ? (extension.longLinkPath ?? extension.get("linkpath") ?? header.linkPath) : "";
  if (path.includes("\0") || linkPath.includes("\0")) throw invalidArchive("a name has a NUL in it");
  const size = extension.get("size");
  const stated = size === undefined ? header.size : paxCount("size", size);
  // Links and devices have no data, whatever size they state: as Go's archive/tar, which other tools rely on.
  const hasContent = type === "file" || type === undefined || typeFlag === "D";
  const sparse = type === "file" ? (oldMap ?? paxSparse(extension.get, extension.sparse)) : undefined;
  const mtime = extension.get("mtime");
  const facts = {
    path,
    linkPath,
    mode: header.mode,
    uid: idOf("uid", extension, header.uid),
    gid: idOf("gid", extension, header.gid),
    mtime: mtime === undefined ? { seconds: header.mtime, nanoseconds: 0 } : parsePaxTime("mtime", mtime),
    size: type === "file" ? (sparse?.size ?? stated) : 0,
    device: header.device,
    xattrs: extension.xattrs,
    ...(extension.hasAcl && { hasAcl: true }),
  };
  return {
    entry: type === undefined ? { ...facts, type: "unknown", typeFlag } : { ...facts, type },
    archived: hasContent ? stated : 0,
    sparse,
  };
}

function typeOf(typeFlag: string, path: string): EntryType | undefined {
  // V7 had no letter for directories.
  if ((typeFlag === "0" || typeFlag === "\0") && path.endsWith("/")) return "directory";
  return types[typeFlag];
}

function idOf(key: "uid" | "gid", { get }: Extension, fallback: number): number {
  const text = get(key);
  const value = text === undefined ? fallback : paxCount(key, text);
  if (value < 0 || value > mostId) throw invalidArchive(`an entry's ${key} ${value} cannot be`);
  return value;
}
