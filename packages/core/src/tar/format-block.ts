import { blockSize } from "./block.ts";
import type { ByteString, EntryType, TarEntry } from "./entry.ts";
import { writeOctal, writeOctalOrBase256 } from "./numbers.ts";

/** What the name fields of a header hold. */
export const mostNameBytes = 100;

/** What one header block says; names that are too long are cut off. */
export interface BlockFacts extends Omit<TarEntry, "type" | "path" | "xattrs" | "hasAcl"> {
  readonly type: EntryType | "pax" | "long name" | "long link";
}

// POSIX.1-2024, pax, "ustar Interchange Format", typeflag; tar(5) for GNU's.
const typeFlags: Readonly<Record<BlockFacts["type"], string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
  pax: "x",
  "long name": "L",
  "long link": "K",
};

/** A directory's name ends with a slash. */
export function nameOf({ type, path }: TarEntry): ByteString {
  return type === "directory" && !path.endsWith("/") ? `${path}/` : path;
}

/** One ustar header block. */
export function formatBlock(facts: BlockFacts, name: ByteString, numbers: "octal" | "octal or base-256"): Buffer {
  const write = numbers === "octal" ? writeOctal : writeOctalOrBase256;
  const block = Buffer.alloc(blockSize);
  block.write(name.slice(0, mostNameBytes), 0, "latin1");
  write(block, facts.mode & 0o7777, 100, 108);
  write(block, facts.uid, 108, 116);
  write(block, facts.gid, 116, 124);
  write(block, facts.size, 124, 136);
  write(block, facts.mtime.seconds, 136, 148);
  block.fill(" ", 148, 156);
  block.write(typeFlags[facts.type], 156, "latin1");
  block.write(facts.linkPath.slice(0, mostNameBytes), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  write(block, facts.device.major, 329, 337);
  write(block, facts.device.minor, 337, 345);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
