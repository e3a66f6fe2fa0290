import { type ByteString, bytesOf, type EntryType, type TarEntry } from "./entry.ts";
import { blockSize } from "./header.ts";

const flags: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** Two empty blocks end an archive. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

/** The zeros that bring content of this size to whole blocks. */
export function padding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

/**
 * The header of an entry, whose content and padding follow: ustar, with a pax extended header in front of it for what
 * ustar has no room for (POSIX pax).
 */
export function formatHeader(entry: TarEntry): Buffer {
  const name = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const records: [string, ByteString][] = [];
  const { seconds, nanoseconds } = entry.mtime;
  if (name.length > 100) records.push(["path", name]);
  if (entry.linkPath.length > 100) records.push(["linkpath", entry.linkPath]);
  if (!fits(entry.size, 11)) records.push(["size", String(entry.size)]);
  if (!fits(entry.uid, 7)) records.push(["uid", String(entry.uid)]);
  if (!fits(entry.gid, 7)) records.push(["gid", String(entry.gid)]);
  if (nanoseconds !== 0 || !fits(seconds, 11)) records.push(["mtime", formatTime(seconds, nanoseconds)]);
  for (const [key, value] of entry.xattrs) records.push([`SCHILY.xattr.${key}`, value.toString("latin1")]);
  const header = formatBlock(entry, name, flags[entry.type]);
  if (records.length === 0) return header;
  const data = Buffer.concat(records.map(formatRecord));
  const extended = formatBlock(
    { ...entry, type: "file", linkPath: "", size: data.length, mode: 0o644 },
    "PaxHeader",
    "x",
  );
  return Buffer.concat([extended, data, padding(data.length), header]);
}

function formatBlock(entry: TarEntry, name: ByteString, flag: string): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(name.slice(0, 100), 0, "latin1");
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid);
  octal(block, 116, 8, entry.gid);
  octal(block, 124, 12, entry.size);
  octal(block, 136, 12, entry.mtime.seconds);
  block.fill(" ", 148, 156);
  block.write(flag, 156, "latin1");
  block.write(entry.linkPath.slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(block, 329, 8, entry.device.major);
  octal(block, 337, 8, entry.device.minor);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** A number that fits, or 0: the extended header has it then. */
function octal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = length - 1;
  block.write((fits(value, digits) ? value : 0).toString(8).padStart(digits, "0"), offset, "latin1");
}

function fits(value: number, digits: number): boolean {
  return value >= 0 && value < 8 ** digits;
}

function formatTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const digits = (count: number) => String(count).padStart(9, "0");
  return seconds < 0
    ? `-${-(seconds + 1)}.${digits(1_000_000_000 - nanoseconds)}`
    : `${seconds}.${digits(nanoseconds)}`;
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
function formatRecord([key, value]: readonly [string, ByteString]): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length += 1;
  return bytesOf(`${length}${rest}`);
}
