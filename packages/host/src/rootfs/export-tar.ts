import type { BigIntStats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { addAbortSignal, Readable } from "node:stream";
import { AnyprocError, type RootfsExport, type RootfsOptions, type RootfsReport } from "@anyproc/core";
import { bytesOf, displayName, type EntryType, type TarEntry } from "../tar/entry.ts";
import { blockSize } from "../tar/header.ts";
import { endOfArchive, formatEntry, padding } from "../tar/write-tar.ts";
import { openUp } from "./open-up.ts";
import { ReportBuilder } from "./report.ts";

const chunkSize = 256 * 1024;

/** Packs a directory; see HostRootfs.exportTar(). */
export function exportTar(directory: string, options: RootfsOptions): RootfsExport {
  const { signal } = options;
  const builder = new ReportBuilder();
  const tar = Readable.from(new Packer(directory, builder).pack(), { objectMode: false, highWaterMark: chunkSize });
  const report = new Promise<RootfsReport>((resolve, reject) => {
    tar.once("end", () => resolve(builder.report));
    tar.once("error", (error) => reject(signal?.aborted ? signal.reason : error));
    tar.once("close", () =>
      reject(new AnyprocError("ANYPROC_CLOSED", `${directory}: its tar stream was not read to the end`)),
    );
  });
  // Who has the stream hears of its failure there, and need not ask for the report.
  report.catch(() => {});
  if (signal) addAbortSignal(signal, tar);
  return { tar, report };
}

class Packer {
  readonly #root: string;
  readonly #report: ReportBuilder;
  /** Names of files with several, by device and inode. */
  readonly #linked: Map<string, string> = new Map();

  constructor(directory: string, report: ReportBuilder) {
    this.#root = Buffer.from(directory).toString("latin1");
    this.#report = report;
  }

  async *pack(): AsyncGenerator<Buffer, void, undefined> {
    yield* this.#packPlace("");
    yield endOfArchive;
  }

  async *#packPlace(name: string): AsyncGenerator<Buffer, void, undefined> {
    const path = bytesOf(name === "" ? this.#root : `${this.#root}/${name}`);
    const stats = await lstat(path, { bigint: true });
    const type = typeOf(stats);
    if (type === undefined) {
      this.#report.lose(name, "socket", "tar has no entry for sockets: it was left out");
      return;
    }
    const earlier = this.#earlierName(name, stats, type);
    this.#report.entries += 1;
    if (earlier !== undefined) {
      yield formatEntry({ ...toEntry(name, "hard link", stats), linkName: earlier, size: 0 });
      return;
    }
    const entry = toEntry(name, type, stats);
    if (type === "symlink") {
      yield formatEntry({ ...entry, linkName: (await readlink(path, { encoding: "buffer" })).toString("latin1") });
      return;
    }
    yield formatEntry(entry);
    if (type === "file") yield* this.#packContent(path, entry, stats);
    if (type === "directory") yield* this.#packChildren(name, path, stats);
  }

  async *#packChildren(name: string, path: Buffer, stats: BigIntStats): AsyncGenerator<Buffer, void, undefined> {
    const close = await openUp(path, stats);
    try {
      const children = (await readdir(path, { encoding: "buffer" })).map((child) => child.toString("latin1"));
      for (const child of children.sort()) yield* this.#packPlace(name === "" ? child : `${name}/${child}`);
    } finally {
      await close();
    }
  }

  #earlierName(name: string, stats: BigIntStats, type: EntryType): string | undefined {
    if (type === "directory" || stats.nlink < 2n) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const earlier = this.#linked.get(key);
    if (earlier === undefined) this.#linked.set(key, name);
    return earlier;
  }

  async *#packContent(path: Buffer, entry: TarEntry, stats: BigIntStats): AsyncGenerator<Buffer, void, undefined> {
    const close = await openUp(path, stats);
    const file = await open(path, "r").finally(close);
    try {
      for (let left = entry.size; left > 0; ) {
        const buffer = Buffer.allocUnsafe(Math.min(left, chunkSize));
        const { bytesRead } = await file.read(buffer, 0, buffer.length);
        if (bytesRead === 0) throw shrunk(entry);
        left -= bytesRead;
        this.#report.bytes += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
    if (entry.size % blockSize > 0) yield padding(entry.size);
  }
}

function toEntry(name: string, type: EntryType, stats: BigIntStats): TarEntry {
  const isDevice = type === "character device" || type === "block device";
  const nanoseconds = ((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return {
    name: type === "directory" ? (name === "" ? "./" : `${name}/`) : name,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { seconds: Number((stats.mtimeNs - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) },
    size: type === "file" ? Number(stats.size) : 0,
    linkName: "",
    // As in makedev(3) of glibc.
    deviceMajor: isDevice ? Number(((stats.rdev >> 8n) & 0xfffn) | ((stats.rdev >> 32n) & ~0xfffn)) : 0,
    deviceMinor: isDevice ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xffffff00n)) : 0,
    xattrs: [],
  };
}

function typeOf(stats: BigIntStats): EntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isCharacterDevice()) return "character device";
  if (stats.isBlockDevice()) return "block device";
  return undefined;
}

function shrunk(entry: TarEntry): AnyprocError {
  return new AnyprocError(
    "ANYPROC_ROOTFS_INVALID",
    `${displayName(entry.name)} became smaller while it was being packed: stop what writes to it, and export again`,
  );
}
