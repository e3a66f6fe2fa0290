import { posix } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type FileStats, type FileSystem, systemErrorCode } from "@anyproc/core";
import {
  endOfArchive,
  formatHeader,
  padding,
  printable,
  type ReadEntry,
  type TarEntry,
  toByteString,
} from "@anyproc/core/tar";
import { archiveEntries, type ContainerPlace, getArchive, putArchive } from "./archive.ts";
import { fileError, toFileError } from "./file-error.ts";
import { fileStats } from "./file-stats.ts";
import { runTool } from "./run-tool.ts";
import { spooledWriter } from "./spooled-writer.ts";

/** What is at a path, and where a symlink leads in the end. */
interface Found {
  readonly entry: ReadEntry["entry"];
  readonly linkTarget: string | undefined;
}

type Facts = Pick<TarEntry, "type" | "mode"> & Partial<TarEntry>;

/**
 * The files of a container, running or not, through the daemon's archives, as root. Archives only add and replace: what
 * removes, renames or changes a mode is done by a program inside, in a container that runs.
 */
export function containerFiles(place: ContainerPlace): FileSystem {
  const followsSymlinks = place.connection.daemon.engine === "podman";

  /** Opens an archive of what is at a path; of a symlink at its end, of the link itself. */
  async function open(syscall: string, path: string) {
    if (!path.startsWith("/") || path.includes("\0")) throw fileError("EINVAL", syscall, path);
    try {
      return await getArchive(place, posix.normalize(path).replace(/(?<=.)\/$/, ""));
    } catch (error) {
      throw toFileError(error, syscall, path);
    }
  }

  async function look(syscall: string, path: string): Promise<Found> {
    try {
      const { tar, linkTarget } = await open(syscall, path);
      for await (const { entry } of archiveEntries(place, tar)) {
        if (linkTarget === undefined || entry.type === "symlink") return { entry, linkTarget };
        return await lookInDirectory(syscall, path, linkTarget);
      }
      throw fileError("EIO", syscall, path);
    } catch (error) {
      // It may be a symlink to nothing.
      if (!followsSymlinks || systemErrorCode(error) !== "ENOENT") throw error;
      return lookInDirectory(syscall, path, undefined);
    }
  }

  /** Podman gives what a symlink leads to. The link itself is in the archive of its directory. */
  async function lookInDirectory(syscall: string, path: string, linkTarget: string | undefined): Promise<Found> {
    const name = posix.basename(path);
    const { tar } = await open(syscall, posix.dirname(posix.normalize(path)));
    let depth: number | undefined;
    for await (const { entry } of archiveEntries(place, tar)) {
      const names = namesOf(entry.path);
      depth ??= names.length;
      if (names.length === depth + 1 && printable(names[depth] ?? "") === name) return { entry, linkTarget };
    }
    throw fileError("ENOENT", syscall, path);
  }

  async function lookIfThere(syscall: string, path: string): Promise<Found | undefined> {
    try {
      return await look(syscall, path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Path and entry of what a path leads to. */
  async function follow(syscall: string, path: string): Promise<{ readonly path: string; readonly found: Found }> {
    const found = await look(syscall, path);
    if (found.entry.type !== "symlink") return { path, found };
    const target = found.linkTarget;
    // Links on the way to it have been followed already.
    const end = target === undefined ? undefined : await look(syscall, target);
    if (target === undefined || end === undefined || end.entry.type === "symlink")
      throw fileError("ENOENT", syscall, path);
    return { path: target, found: end };
  }

  async function* content(syscall: string, path: string): AsyncGenerator<Buffer, void, undefined> {
    const { tar, linkTarget } = await open(syscall, path);
    for await (const { entry, content: pieces } of archiveEntries(place, tar)) {
      if (entry.type === "symlink") return yield* content(syscall, linkTarget ?? path);
      if (entry.type === "directory") throw fileError("EISDIR", syscall, path);
      for await (const { data } of pieces) yield data;
      return;
    }
  }

  /** Puts one new entry into a directory that is there. */
  async function put(syscall: string, path: string, facts: Facts, data: Buffer | Readable = Buffer.alloc(0)) {
    const directory = facts.type === "symlink" ? "/" : posix.dirname(path);
    const entry: TarEntry = {
      path: toByteString(posix.relative(directory, path)),
      linkPath: "",
      uid: 0,
      gid: 0,
      mtime: { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 },
      size: 0,
      device: { major: 0, minor: 0 },
      xattrs: new Map(),
      ...facts,
    };
    const frame = [formatHeader(entry), Buffer.concat([padding(entry.size), endOfArchive])] as const;
    const tar = Buffer.isBuffer(data)
      ? Buffer.concat([frame[0], data, frame[1]])
      : Readable.from(around(frame[0], data, frame[1]), { objectMode: false });
    try {
      await putArchive(place, directory, tar);
    } catch (error) {
      throw toFileError(error, syscall, path);
    }
  }

  /** Replaces a file's content; one that is there keeps owner and mode. */
  async function write(path: string, data: Buffer | Readable, size: number, mode = 0o644): Promise<void> {
    const syscall = "open";
    let target = path;
    let there = await lookIfThere(syscall, path);
    if (there?.entry.type === "symlink") {
      target = there.linkTarget ?? posix.resolve(posix.dirname(path), printable(there.entry.linkPath));
      there = await lookIfThere(syscall, target);
    }
    if (there?.entry.type === "directory") throw fileError("EISDIR", syscall, path);
    const { uid = 0, gid = 0, mode: kept = mode } = there?.entry ?? {};
    await put(syscall, target, { type: "file", mode: kept, uid, gid, size }, data);
  }

  async function mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): Promise<void> {
    const { recursive = false, mode = 0o755 } = options;
    if (await lookIfThere("mkdir", path)) {
      if (recursive && (await stat(path)).isDirectory()) return;
      throw fileError("EEXIST", "mkdir", path);
    }
    const parent = posix.dirname(posix.normalize(path));
    if (recursive && !(await lookIfThere("mkdir", parent))) await mkdir(parent, options);
    await put("mkdir", path, { type: "directory", mode });
  }

  async function readdir(path: string): Promise<string[]> {
    const { path: directory, found } = await follow("scandir", path);
    if (found.entry.type !== "directory") throw fileError("ENOTDIR", "scandir", path);
    const { tar } = await open("scandir", directory);
    const names = new Set<string>();
    let depth: number | undefined;
    for await (const { entry } of archiveEntries(place, tar)) {
      const path = namesOf(entry.path);
      depth ??= path.length;
      const name = path[depth];
      if (name !== undefined) names.add(printable(name));
    }
    return [...names];
  }

  async function stat(path: string): Promise<FileStats> {
    return fileStats((await follow("stat", path)).found.entry);
  }

  async function rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    const there = options.force ? await lookIfThere("rm", path) : await look("rm", path);
    if (!there) return;
    if (there.entry.type === "directory" && !options.recursive) throw fileError("EISDIR", "rm", path);
    await runTool(place, ["rm", "-rf", "--", path], path);
  }

  return {
    readFile: (path) => buffer(content("open", path)),
    writeFile: (path, data, options) => {
      const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
      return write(path, bytes, bytes.length, options?.mode);
    },
    readdir,
    stat,
    lstat: async (path) => fileStats((await look("lstat", path)).entry),
    mkdir,
    rm,
    rename: async (from, to) => {
      await look("rename", from);
      await runTool(place, ["mv", "-fT", "--", from, to], from);
    },
    symlink: async (target, path) => {
      if (await lookIfThere("symlink", path)) throw fileError("EEXIST", "symlink", path);
      // The daemon refuses links that lead out of the directory which it unpacks into, so that is the root; but below
      // the root it would make what is missing.
      await look("symlink", posix.dirname(path));
      await put("symlink", path, { type: "symlink", mode: 0o777, linkPath: toByteString(target) });
    },
    readlink: async (path) => {
      const { entry } = await look("readlink", path);
      if (entry.type !== "symlink") throw fileError("EINVAL", "readlink", path);
      return printable(entry.linkPath);
    },
    chmod: async (path, mode) => {
      const { path: target } = await follow("chmod", path);
      await runTool(place, ["chmod", (mode & 0o7777).toString(8), "--", target], path);
    },
    createReadStream: (path) => Readable.from(content("open", path), { objectMode: false, highWaterMark: 64 * 1024 }),
    createWriteStream: (path, options) => spooledWriter((data, size) => write(path, data, size, options?.mode)),
  };
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

async function* around(before: Buffer, content: Readable, after: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield before;
  yield* content as AsyncIterable<Buffer>;
  yield after;
}
