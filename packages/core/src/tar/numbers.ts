import { invalidArchive } from "./invalid-archive.ts";

/**
 * Reads a number field of a header: octal digits, or GNU's and star's base-256 with the first bit set (tar(5)).
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function readNumber(block: Buffer, start: number, end: number, field: string): number {
  const first = block[start] as number;
  if (first & 0x80) {
    // Two's complement with the marker bit left out.
    let value = BigInt.asIntN(7, BigInt(first & 0x7f));
    for (let at = start + 1; at < end; at += 1) value = value * 256n + BigInt(block[at] as number);
    const result = Number(value);
    if (Number.isSafeInteger(result)) return result;
  } else {
    const nul = block.indexOf(0, start);
    const digits = block.toString("latin1", start, nul >= 0 && nul < end ? nul : end).trim();
    if (digits === "") return 0;
    if (/^[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  }
  throw invalidArchive(`its field ${field} is no number`);
}

/** Reads a number field that counts something. @throws ANYPROC_ARCHIVE_INVALID */
export function readCount(block: Buffer, start: number, end: number, field: string): number {
  const value = readNumber(block, start, end, field);
  if (value < 0) throw invalidArchive(`its field ${field} is negative`);
  return value;
}

/** True when a number can be written with so many octal digits. */
export function fitsOctal(value: number, digits: number): boolean {
  return value >= 0 && value < 8 ** digits;
}

/** Octal digits and a NUL; 0 for a number that does not fit and stands in a pax header instead. */
export function writeOctal(block: Buffer, value: number, start: number, end: number): void {
  const digits = end - start - 1;
  block.write((fitsOctal(value, digits) ? value : 0).toString(8).padStart(digits, "0"), start, "latin1");
}

/** Octal digits, or base-256 for a number that does not fit or is negative. */
export function writeOctalOrBase256(block: Buffer, value: number, start: number, end: number): void {
  if (fitsOctal(value, end - start - 1)) {
    writeOctal(block, value, start, end);
    return;
  }
  let rest = BigInt(value);
  for (let at = end - 1; at >= start; at -= 1) {
    block[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[start] = (block[start] as number) | 0x80;
}
