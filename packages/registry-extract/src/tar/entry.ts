/**
 * Text whose characters each stand for one byte (latin1). Names in tar archives are bytes, and so they stay, whether
 * or not they are UTF-8.
 */
export type ByteString = string;

/** What an entry makes. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character-device" | "block-device" | "fifo";

/** A point in time as tar keeps it. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** One entry of a tar archive, with its extended headers taken into account. */
export interface TarEntry {
  readonly type: EntryType;
  /** As it stands in the archive: nothing has been checked. */
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
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes by name. */
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}

/** Receives a file's content: pieces in order of position, gaps being holes. */
export interface EntrySink {
  write(chunk: Buffer, position: number): void;
  end(): void;
}

/** Bytes of a ByteString. */
export function bytesOf(text: ByteString): Buffer {
  return Buffer.from(text, "latin1");
}
