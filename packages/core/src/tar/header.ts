import { blockSize } from "./block.ts";
import type { ByteString } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { readCount, readNumber } from "./numbers.ts";

/** The fields of one header block (POSIX ustar, and GNU's), before extended headers. */
export interface Header {
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

const noDevice: Header["device"] = { major: 0, minor: 0 };

/**
 * Reads a header block.
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function parseHeader(block: Buffer): Header {
  checkSum(block);
  const magic = block.toString("latin1", 257, 265);
  const isUstar = magic.startsWith("ustar\0");
  const isGnu = magic === "ustar  \0";
  const name = text(block, 0, 100);
  // In GNU's format these bytes are times and sparse maps; in star's the prefix is shorter.
  const prefixEnd = block.toString("latin1", 508, 512) === "tar\0" ? 476 : 500;
  const prefix = isUstar ? text(block, 345, prefixEnd) : "";
  const typeFlag = String.fromCharCode(block[156] as number);
  const isDevice = (typeFlag === "3" || typeFlag === "4") && (isUstar || isGnu);
  return {
    typeFlag,
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkPath: text(block, 157, 257),
    mode: readNumber(block, 100, 108, "mode") & 0o7777,
    uid: readNumber(block, 108, 116, "uid"),
    gid: readNumber(block, 116, 124, "gid"),
    size: readCount(block, 124, 136, "size"),
    mtime: readNumber(block, 136, 148, "mtime"),
    device: isDevice
      ? { major: readCount(block, 329, 337, "devmajor"), minor: readCount(block, 337, 345, "devminor") }
      : noDevice,
  };
}

/** A text field, up to its first NUL. */
function text(block: Buffer, start: number, end: number): ByteString {
  const nul = block.indexOf(0, start);
  return block.toString("latin1", start, nul >= 0 && nul < end ? nul : end);
}

function checkSum(block: Buffer): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < blockSize; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] as number;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stated = readNumber(block, 148, 156, "chksum");
  // Old tars summed signed characters: tar(5).
  if (stated !== unsigned && stated !== signed) throw invalidArchive("a header's checksum is wrong");
}
