import type { TreeEntry } from "./tree.ts";

const blockBytes = 512;
const zeros: Buffer = Buffer.alloc(blockBytes);

// POSIX.1-2024, pax, "ustar Interchange Format": typeflag.
const typeFlags: Readonly<Record<TreeEntry["type"], string>> = {
  file: "0",
  symlink: "2",
  "character device": "3",
  "block device": "4",
  directory: "5",
  fifo: "6",
  socket: "0",
};

/** Two empty blocks: the end of an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockBytes);

/** What fills a file's last block. */
export function tarPadding(sizeBytes: number): Buffer {
  return zeros.subarray(0, (blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/**
 * The header of an entry, ahead of its content. Names that do not fit go into GNU's long-name entries, which every tar
 * reads; numbers that do not fit are in GNU's base-256.
 *
 * @param linkTo the name that carries the content, where this is a further name of the same file
 */
export function tarHeader(entry: TreeEntry, linkTo?: string): Buffer {
  const name = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const target = linkTo ?? entry.target ?? "";
  const longEntries: Buffer[] = [];
  if (Buffer.byteLength(target) > 100) longEntries.push(...longName("K", target));
  if (Buffer.byteLength(name) > 100) longEntries.push(...longName("L", name));
  const header = ustarHeader(name, linkTo === undefined ? typeFlags[entry.type] : "1", {
    mode: entry.type === "directory" ? entry.mode | 0o700 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === "file" && linkTo === undefined ? entry.size : 0,
    mtime: entry.mtime,
    target,
    device: entry.device,
  });
  return longEntries.length === 0 ? header : Buffer.concat([...longEntries, header]);
}

interface HeaderFields {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly target: string;
  readonly device: TreeEntry["device"];
}

function ustarHeader(name: string, typeFlag: string, fields: HeaderFields): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100);
  writeNumber(header, fields.mode, 100, 8);
  writeNumber(header, fields.uid, 108, 8);
  writeNumber(header, fields.gid, 116, 8);
  writeNumber(header, fields.size, 124, 12);
  writeNumber(header, fields.mtime, 136, 12);
  header.fill(" ", 148, 156);
  header.write(typeFlag, 156);
  header.write(fields.target, 157, 100);
  header.write("ustar\0" + "00", 257);
  if (fields.device) {
    writeNumber(header, fields.device[0], 329, 8);
    writeNumber(header, fields.device[1], 337, 8);
  }
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function longName(typeFlag: "K" | "L", name: string): Buffer[] {
  const content = Buffer.from(`${name}\0`);
  const fields = { mode: 0o644, uid: 0, gid: 0, size: content.length, mtime: 0, target: "", device: undefined };
  return [ustarHeader("././@LongLink", typeFlag, fields), content, tarPadding(content.length)];
}

/** Octal digits and a NUL, or, where they do not fit or the number is negative, big-endian bytes with the top bit set. */
function writeNumber(header: Buffer, value: number, offset: number, length: number): void {
  const digits = value.toString(8);
  if (value >= 0 && digits.length < length) {
    header.write(`${digits.padStart(length - 1, "0")}\0`, offset);
    return;
  }
  let rest = BigInt.asUintN(length * 8 - 1, BigInt(value));
  for (let at = offset + length - 1; at >= offset; at -= 1) {
    header[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  header[offset] = (header[offset] ?? 0) | 0x80;
}
