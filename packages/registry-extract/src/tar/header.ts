import { imageError } from "../errors.ts";
import type { ByteString } from "./entry.ts";

/** The unit of tar archives, in bytes. */
export const blockSize = 512;

/** The fields of one header block (POSIX ustar, and GNU's), before extended headers. */
export interface RawHeader {
  readonly typeFlag: string;
  readonly path: ByteString;
  readonly linkPath: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly device: { readonly major: number; readonly minor: number };
}

/** True for a block of zeros, two of which end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < blockSize; i += 1) if (block[i] !== 0) return false;
  return true;
}

/**
 * Reads a header block.
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function parseHeader(block: Buffer): RawHeader {
  checkSum(block);
  const magic = block.toString("latin1", 257, 265);
  const isUstar = magic.startsWith("ustar\0");
  const isGnu = magic === "ustar  \0";
  const name = text(block, 0, 100);
  // In GNU's format these bytes are times and sparse maps; in star's the prefix is shorter.
  const prefixEnd = block.toString("latin1", 508, 512) === "tar\0" ? 476 : 500;
  const prefix = isUstar ? text(block, 345, prefixEnd) : "";
  const hasDevice = isUstar || isGnu;
  return {
    typeFlag: String.fromCharCode(block[156] as number),
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkPath: text(block, 157, 257),
    mode: number(block, 100, 108, "mode"),
    uid: number(block, 108, 116, "uid"),
    gid: number(block, 116, 124, "gid"),
    size: number(block, 124, 136, "size"),
    mtime: number(block, 136, 148, "mtime"),
    device: hasDevice
      ? { major: number(block, 329, 337, "devmajor"), minor: number(block, 337, 345, "devminor") }
      : { major: 0, minor: 0 },
  };
}

/** A text field, up to its first NUL. */
function text(block: Buffer, start: number, end: number): ByteString {
  const nul = block.indexOf(0, start);
  return block.toString("latin1", start, nul >= 0 && nul < end ? nul : end);
}

/**
 * A number field: octal digits, or GNU's and star's base-256 with the first bit set.
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function number(block: Buffer, start: number, end: number, field: string): number {
  const first = block[start] as number;
  if (first & 0x80) {
    // Two's complement with the marker bit left out.
    let value = BigInt.asIntN(7, BigInt(first & 0x7f));
    for (let i = start + 1; i < end; i += 1) value = value * 256n + BigInt(block[i] as number);
    const result = Number(value);
    if (Number.isSafeInteger(result)) return result;
  } else {
    const digits = text(block, start, end).trim();
    if (digits === "") return 0;
    if (/^[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  }
  throw damaged(`its field ${field} is no number`);
}

function checkSum(block: Buffer): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < blockSize; i += 1) {
    if (i === 148) i = 156;
    const byte = block[i] as number;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const expected = number(block, 148, 156, "chksum");
  // Old tars summed signed characters.
  if (expected !== unsigned && expected !== signed) throw damaged("a header's checksum is wrong");
}

/** The error for an archive that cannot be read. */
export function damaged(reason: string): Error {
  return imageError("ANYPROC_ARCHIVE_INVALID", `not a tar archive, or a damaged one: ${reason}`);
}
