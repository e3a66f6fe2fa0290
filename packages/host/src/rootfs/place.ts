import type { BigIntStats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { bytesOf, type EntryType, type TarEntry } from "@anyproc/core/tar";
import { openUp } from "./open-up.ts";

const smallFile = 64n * 1024n;
const nanosecondsInSecond = 1_000_000_000n;

/** One place of a tree, looked at. */
export interface Place {
  /** Path inside the tree; empty for the tree itself. */
  readonly name: string;
  readonly path: Buffer;
  readonly stats: BigIntStats;
  /** Undefined for what tar has no entry for. */
  readonly entry: TarEntry | undefined;
  /** The bytes of a small file, which are cheaper to read at once. */
  readonly content: Buffer | undefined;
}

export async function lookAt(root: string, name: string): Promise<Place> {
  const path = bytesOf(name === "" ? root : `${root}/${name}`);
  const stats = await lstat(path, { bigint: true });
  const type = typeOf(stats);
  const target = type === "symlink" ? (await readlink(path, { encoding: "buffer" })).toString("latin1") : "";
  const isSmall = type === "file" && stats.nlink === 1n && stats.size <= smallFile;
  return {
    name,
    path,
    stats,
    entry: type && toEntry(name, type, target, stats),
    content: isSmall ? await readSmall(path, stats) : undefined,
  };
}

/** May be shorter than the file was when it was looked at, never longer. */
async function readSmall(path: Buffer, stats: BigIntStats): Promise<Buffer> {
  const content = Buffer.allocUnsafe(Number(stats.size));
  if (content.length === 0) return content;
  const close = await openUp(path, stats);
  const file = await open(path, "r").finally(close);
  try {
    const { bytesRead } = await file.read(content, 0, content.length, 0);
    return content.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function toEntry(name: string, type: EntryType, linkPath: string, stats: BigIntStats): TarEntry {
  const isDevice = type === "character-device" || type === "block-device";
  const nanoseconds = ((stats.mtimeNs % nanosecondsInSecond) + nanosecondsInSecond) % nanosecondsInSecond;
  return {
    path: name === "" ? "." : name,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { seconds: Number((stats.mtimeNs - nanoseconds) / nanosecondsInSecond), nanoseconds: Number(nanoseconds) },
    size: type === "file" ? Number(stats.size) : 0,
    linkPath,
    device: isDevice ? deviceNumbers(stats.rdev) : { major: 0, minor: 0 },
    xattrs: new Map(),
  };
}

/** As in makedev(3) of glibc. */
function deviceNumbers(device: bigint): TarEntry["device"] {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}

function typeOf(stats: BigIntStats): EntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return undefined;
}
