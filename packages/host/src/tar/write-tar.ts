import { decodeUtf8 } from "@anyproc/core";
import { bytesOf, type TarEntry } from "./entry.ts";
import { blockSize, typeFlagOf } from "./header.ts";
import { formatPax, formatTimestamp } from "./pax.ts";

// The largest values of fields with 7 and 11 octal digits.
const largestId = 0o7777777;
const largestNumber = 0o77777777777;

/** The two empty blocks that end an archive. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

/** The blocks that introduce an entry: a ustar header, after a pax header for what does not fit into it. */
export function formatEntry(entry: TarEntry): Buffer {
  const records = extendedRecords(entry);
  const blocks = [formatHeader(entry, typeFlagOf(entry.type))];
  if (records.length > 0) {
    const data = formatPax(records);
    const name = `PaxHeaders/${entry.name}`.slice(0, 100);
    const header = { ...entry, name, linkName: "", size: data.length, mode: 0o644, type: "file" as const };
    blocks.unshift(formatHeader(header, "x"), data, padding(data.length));
  }
  return Buffer.concat(blocks);
}

/** What fills a content of this size up to whole blocks. */
export function padding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

function extendedRecords(entry: TarEntry): [string, string][] {
  const { name, linkName, uid, gid, size, mtime } = entry;
  const records: [string, string][] = [];
  const isUtf8 = [name, linkName].every((text) => decodeUtf8(bytesOf(text)) !== undefined);
  if (!isUtf8) records.push(["hdrcharset", "BINARY"]);
  if (!fits(name)) records.push(["path", name]);
  if (!fits(linkName)) records.push(["linkpath", linkName]);
  if (uid > largestId) records.push(["uid", String(uid)]);
  if (gid > largestId) records.push(["gid", String(gid)]);
  if (size > largestNumber) records.push(["size", String(size)]);
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > largestNumber) {
    records.push(["mtime", formatTimestamp(mtime)]);
  }
  return records;
}

// Bytes beyond ASCII mean different things to different programs in the header, and one thing in a record.
function fits(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

function formatHeader(entry: TarEntry, typeFlag: string): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(entry.name.slice(0, 100), 0, "latin1");
  writeOctal(block, entry.mode & 0o7777, 100, 8);
  writeOctal(block, entry.uid, 108, 8);
  writeOctal(block, entry.gid, 116, 8);
  writeOctal(block, entry.size, 124, 12);
  writeOctal(block, entry.mtime.seconds, 136, 12);
  block.write("        ", 148, "latin1");
  block.write(typeFlag, 156, "latin1");
  block.write(entry.linkName.slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, entry.deviceMajor, 329, 8);
  writeOctal(block, entry.deviceMinor, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

// What is out of range stands in the pax header.
function writeOctal(block: Buffer, value: number, offset: number, length: number): void {
  const largest = 8 ** (length - 1) - 1;
  const digits = Math.min(Math.max(0, value), largest)
    .toString(8)
    .padStart(length - 1, "0");
  block.write(`${digits}\0`, offset, "latin1");
}
