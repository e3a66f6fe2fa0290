import { type BigIntStats, createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import {
  parseRootfsMetadata,
  parseRootfsOwner,
  type RootfsMetadata,
  type RootfsMetadataEntry,
  type RootfsOwner,
  rootfsMetadataPath,
  rootfsOwnerAttribute,
  systemErrorCode,
} from "@anyproc/core";
import {
  type ByteString,
  type EntryType,
  endOfArchive,
  formatHeader,
  padding,
  printable,
  type TarEntry,
  toByteString,
} from "@anyproc/core/tar";
import { imageError } from "../errors.ts";
import { hostPath } from "../layers/host-path.ts";
import { loadNativeFiles } from "../layers/native-files.ts";

const readBytes = 256 * 1024;

/**
 * Packs a root filesystem into a tar archive: names in order, hard links as such, and what the metadata file beside it
 * says. Sockets are left out, since archives cannot hold them.
 *
 * @throws ANYPROC_ROOTFS_INVALID for a wrong metadata file, ANYPROC_IMAGE_INVALID for a file that changes meanwhile
 */
export async function* packRootfs(rootfs: string): AsyncGenerator<Buffer> {
  const notes = await readNotes(rootfs);
  const native = loadNativeFiles();
  const root = toByteString(rootfs);
  const firstNames = new Map<string, ByteString>();
  // Where guests have owners, theirs is also what the user behind them owns.
  let guests: { readonly host: bigint; readonly owner: RootfsOwner } | undefined;

  async function* pack(path: ByteString): AsyncGenerator<Buffer> {
    const host = hostPath(path === "" ? root : `${root}/${path}`);
    const stats = await lstat(host, { bigint: true });
    const note = notes.entries.get(path);
    const type = note?.type ?? typeOf(stats);
    if (type === undefined) return;
    const inode = `${stats.dev}:${stats.ino}`;
    const first = stats.nlink > 1n && type !== "directory" ? firstNames.get(inode) : undefined;
    if (stats.nlink > 1n && first === undefined) firstNames.set(inode, path);
    const { [rootfsOwnerAttribute]: value, ...xattrs } = native?.getXattrs(Buffer.from(host)) ?? {};
    const own = value && parseRootfsOwner(value);
    if (path === "" && own) guests = { host: stats.uid, owner: own };
    const unmarked = stats.uid === guests?.host ? guests.owner : undefined;
    const owner = own ?? { ...unmarked, ...notes.owner, ...note };
    const entry: TarEntry = {
      type: first === undefined ? type : "hardlink",
      path: path === "" ? "." : path,
      linkPath: first ?? (type === "symlink" ? await readlink(host, "latin1") : ""),
      mode: Number(stats.mode & 0o7777n),
      uid: owner.uid ?? Number(stats.uid),
      gid: owner.gid ?? Number(stats.gid),
      mtime: {
        seconds: Number(stats.mtimeNs / 1_000_000_000n) - (stats.mtimeNs % 1_000_000_000n < 0n ? 1 : 0),
        nanoseconds: Number(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n),
      },
      size: type === "file" && first === undefined ? Number(stats.size) : 0,
      device: device(type, note, stats),
      xattrs: new Map(first === undefined ? [...Object.entries(xattrs), ...notedXattrs(note)] : []),
    };
    yield formatHeader(entry);
    if (entry.type === "file") yield* content(path, host, entry.size);
    if (entry.type !== "directory") return;
    const names = (await readdir(host, "latin1")).sort();
    for (const name of names) yield* pack(path === "" ? name : `${path}/${name}`);
  }

  yield* pack("");
  yield endOfArchive;
}

async function* content(path: ByteString, host: string | Buffer, size: number): AsyncGenerator<Buffer> {
  let read = 0;
  if (size > 0) {
    for await (const chunk of createReadStream(host, { highWaterMark: readBytes, end: size - 1 })) {
      read += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  if (read !== size) {
    throw imageError(
      "ANYPROC_IMAGE_INVALID",
      `${printable(path)}: became shorter while it was packed: stop what writes to it`,
    );
  }
  yield padding(size);
}

function typeOf(stats: BigIntStats): EntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : undefined;
}

function device(type: EntryType, note: RootfsMetadataEntry | undefined, { rdev }: BigIntStats): TarEntry["device"] {
  if (note?.type !== undefined) return { major: note.major ?? 0, minor: note.minor ?? 0 };
  if (type !== "character-device" && type !== "block-device") return { major: 0, minor: 0 };
  // makedev(3), as the kernel and glibc lay it out.
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}

function notedXattrs(note: RootfsMetadataEntry | undefined): [ByteString, Buffer][] {
  return Object.entries(note?.xattrs ?? {}).map(([name, value]) => [toByteString(name), Buffer.from(value)]);
}

async function readNotes(rootfs: string) {
  const path = rootfsMetadataPath(rootfs);
  let metadata: RootfsMetadata = { entries: [] };
  try {
    metadata = parseRootfsMetadata(path, await readFile(path, "utf8"));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  const entries = new Map<ByteString, RootfsMetadataEntry>();
  for (const entry of metadata.entries) entries.set(Buffer.from(entry.path).toString("latin1"), entry);
  return { owner: metadata.owner, entries };
}
