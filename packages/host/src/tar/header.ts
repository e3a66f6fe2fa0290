import type { EntryType } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";

export const blockSize = 512;

/** A header block as it stands: pax(1), "ustar Interchange Format", and the GNU variant of tar(5). */
export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeFlag: string;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

const types: Readonly<Record<string, EntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hard link",
  "2": "symlink",
  "3": "character device",
  "4": "block device",
  "5": "directory",
  D: "directory",
  "6": "fifo",
};

/** Links, directories and devices have no content, whatever size they state. */
export function hasContent(typeFlag: string): boolean {
  return !["1", "2", "3", "4", "5", "6"].includes(typeFlag);
}

export function entryType(typeFlag: string): EntryType {
  return types[typeFlag] ?? "unknown";
}

/** The letter for a type that is written. */
export function typeFlagOf(type: EntryType): string {
  return Object.entries(types).find(([flag, named]) => named === type && flag !== "\0")?.[0] ?? "0";
}

/** @throws ANYPROC_ARCHIVE_INVALID when the block is no header */
export function parseHeader(block: Buffer): Header {
  checkSum(block);
  const magic = block.toString("latin1", 257, 263);
  const prefix = magic === "ustar\0" ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    typeFlag: block.toString("latin1", 156, 157),
    linkName: text(block, 157, 100),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
  };
}

/** A number field: octal digits, or base 256 when the first bit is set. */
export function number(block: Buffer, offset: number, length: number): number {
  const field = block.subarray(offset, offset + length);
  const first = field[0] ?? 0;
  if (first & 0x80) return base256(field);
  const digits = upToNul(field).trim();
  if (!/^[0-7]*$/.test(digits))
    throw invalidArchive(`a header field holds ${JSON.stringify(digits)} instead of a number`);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function base256(field: Buffer): number {
  const bytes = Buffer.from(field);
  const isNegative = bytes[0] === 0xff;
  if (!isNegative) bytes[0] = (bytes[0] ?? 0) & 0x7f;
  const value = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw invalidArchive(`a header field holds ${value}, which is out of range`);
  }
  return Number(value);
}

/** Bytes as a string (see TarEntry), as far as C would read it. */
export function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}

function text(block: Buffer, offset: number, length: number): string {
  return upToNul(block.subarray(offset, offset + length));
}

function checkSum(block: Buffer): void {
  const stated = number(block, 148, 8);
  let sum = 0;
  let signedSum = 0;
  for (const [index, byte] of block.entries()) {
    const counted = index >= 148 && index < 156 ? 0x20 : byte;
    sum += counted;
    // Some old programs added signed characters: tar(5).
    signedSum += (counted << 24) >> 24;
  }
  if (stated !== sum && stated !== signedSum) throw invalidArchive("a header's checksum is wrong");
}
