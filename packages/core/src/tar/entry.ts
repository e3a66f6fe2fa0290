/**
 * Text whose characters each stand for one byte (latin1). Names in tar archives are bytes, and so they stay, whether
 * or not they are UTF-8.
 */
export type ByteString = string;

/** What an entry makes. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character-device" | "block-device" | "fifo";

/** A point in time as tar keeps it: nanoseconds count forward, also before 1970. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

interface EntryFacts {
  /** As it stands in the archive: nothing has been checked but that there is no NUL in it. */
  readonly path: ByteString;
  /** Target of a link; else empty. */
  readonly linkPath: ByteString;
  /** Permissions with set-user-ID, set-group-ID and sticky: twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  /** Of the file that it makes, holes included; 0 for what is no file. */
  readonly size: number;
  /** Of a device; else zeros. */
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes by name. */
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
  /** True when the archive has an access control list for it in words (`SCHILY.acl.*`), which is not read. */
  readonly hasAcl?: boolean;
}

/** One entry of an archive, with its extended headers taken into account. */
export interface TarEntry extends EntryFacts {
  readonly type: EntryType;
}

/** An entry of a type that is no file's: what a program of another kind of archive put there. */
export interface UnknownEntry extends EntryFacts {
  readonly type: "unknown";
  /** Its letter in the header. */
  readonly typeFlag: string;
}

/** Bytes of a ByteString. */
export function bytesOf(text: ByteString): Buffer {
  return Buffer.from(text, "latin1");
}

/** The ByteString of ordinary text, in UTF-8. */
export function toByteString(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A ByteString for messages. */
export function printable(text: ByteString): string {
  return bytesOf(text).toString("utf8");
}
