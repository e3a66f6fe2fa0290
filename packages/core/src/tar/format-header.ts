import { decodeUtf8 } from "../posix-shell.ts";
import { padding } from "./block.ts";
import { type ByteString, bytesOf, type TarEntry } from "./entry.ts";
import { formatBlock, mostNameBytes, nameOf } from "./format-block.ts";
import { fitsOctal } from "./numbers.ts";
import { formatPax, formatPaxTime } from "./pax.ts";
import { xattrRecord } from "./xattrs.ts";

/**
 * The header of an entry, which its content and padding() follow: ustar, with a pax extended header in front of it for
 * what ustar has no room for (POSIX pax). An archive ends with endOfArchive.
 */
export function formatHeader(entry: TarEntry): Buffer {
  const name = nameOf(entry);
  const block = formatBlock(entry, name, "octal");
  const records = recordsOf(entry, name);
  if (records.length === 0) return block;
  const data = formatPax(records);
  const extended = { ...entry, type: "pax" as const, linkPath: "", size: data.length, mode: 0o644 };
  return Buffer.concat([formatBlock(extended, "PaxHeader", "octal"), data, padding(data.length), block]);
}

function recordsOf(entry: TarEntry, name: ByteString): [key: ByteString, value: ByteString][] {
  const { linkPath, uid, gid, size, mtime } = entry;
  const records: [ByteString, ByteString][] = [];
  if (!isUtf8(name) || !isUtf8(linkPath)) records.push(["hdrcharset", "BINARY"]);
  if (!isPlain(name)) records.push(["path", name]);
  if (!isPlain(linkPath)) records.push(["linkpath", linkPath]);
  if (!fitsOctal(size, 11)) records.push(["size", String(size)]);
  if (!fitsOctal(uid, 7)) records.push(["uid", String(uid)]);
  if (!fitsOctal(gid, 7)) records.push(["gid", String(gid)]);
  if (mtime.nanoseconds !== 0 || !fitsOctal(mtime.seconds, 11)) records.push(["mtime", formatPaxTime(mtime)]);
  for (const [key, value] of entry.xattrs) records.push(xattrRecord(key, value));
  return records;
}

// Bytes beyond ASCII mean different things to different programs in the header, and one thing in a record.
function isPlain(text: ByteString): boolean {
  return text.length <= mostNameBytes && /^[\x20-\x7e]*$/.test(text);
}

function isUtf8(text: ByteString): boolean {
  return !/[\x80-\xff]/.test(text) || decodeUtf8(bytesOf(text)) !== undefined;
}
