/** What an entry stands for; the letters of ustar and its descendants are in header.ts. */
export type EntryType =
  | "file"
  | "hard link"
  | "symlink"
  | "character device"
  | "block device"
  | "directory"
  | "fifo"
  | "unknown";

/** A time as pax spells it: whole seconds since the epoch, possibly negative, and nanoseconds after them. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * One entry of an archive, without its content.
 *
 * Names are bytes and need not be text. They are kept as strings with one character for each byte ("latin1"), so that
 * they can be split, compared and used as keys; bytesOf() gives the bytes.
 */
export interface TarEntry {
  readonly name: string;
  readonly type: EntryType;
  /** Permissions with set-user-ID, set-group-ID and sticky bits: at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  /** Bytes of the file, holes included; 0 for everything but files. */
  readonly size: number;
  /** Where a link leads; empty for everything else. */
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Names of the extended attributes that the archive carries for this entry. */
  readonly xattrs: readonly string[];
}

export function bytesOf(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

/** The name for messages. */
export function displayName(name: string): string {
  return bytesOf(name).toString("utf8");
}
