import type { Readable, Writable } from "node:stream";
import { AnyprocError, decodeUtf8, isAnyprocError } from "@anyproc/core";
import {
  bytesOf,
  endOfArchive,
  formatGnuHeader,
  formatHeader,
  padding,
  printable,
  readTar,
  type TarEntry,
  toByteString,
  withoutHoles,
} from "@anyproc/core/tar";
import { roomIn } from "./room.ts";
import { checkPath, type Losses, parentOf } from "./tree.ts";

/** What went through. */
export interface PassedTar {
  readonly entries: number;
  readonly bytes: number;
  /** Directories whose mode and time the reader may not have set for good. */
  readonly unfinished: readonly PassedDirectory[];
}

/** A directory that went through. */
export interface PassedDirectory {
  readonly path: string;
  readonly mode: number;
  /** Whole seconds. */
  readonly mtime: number;
}

/** How an archive is passed on. */
export interface PassOptions {
  /** What it is unpacked into, for messages. */
  readonly name: string;
  /** Paths of the symlinks that are there before. */
  readonly symlinks: Set<string>;
  readonly losses: Losses;
  /** The tar that reads it. */
  readonly reader: "gnu" | "other";
}

/**
 * Passes an archive on, entry by entry, as long as none of them leads out of the directory it is unpacked into: no
 * absolute path, no "..", no name below a symlink, whether that is in the archive or was there before.
 *
 * @throws ANYPROC_UNSAFE_PATH, ANYPROC_ARCHIVE_INVALID
 */
export async function passChecked(source: Readable, sink: Writable, options: PassOptions): Promise<PassedTar> {
  const isGnu = options.reader === "gnu";
  const format = isGnu ? formatHeader : formatGnuHeader;
  const directories = new Map<string, PassedDirectory>();
  const withLinks = new Set<string>();
  let entries = 0;
  let bytes = 0;
  // A sink that ends early is no failure of ours: who reads it knows why.
  sink.on("error", () => {});
  const write = async (chunk: Buffer): Promise<void> => {
    if (!sink.destroyed && !sink.write(chunk)) await roomIn(sink);
  };
  try {
    for await (const { entry, content } of readTar(source)) {
      if (sink.destroyed) break;
      if (entry.type === "unknown") {
        options.losses.add(printable(entry.path), "file type", "it is of a type that is no file's, so it was left out");
        continue;
      }
      const checked = checkEntry(entry, options);
      if (!checked) continue;
      const path = checked.path.replace(/\/$/, "");
      if (entry.type === "directory") directories.set(path, { path, mode: entry.mode, mtime: entry.mtime.seconds });
      if (entry.type === "symlink") withLinks.add(parentOf(path));
      entries += 1;
      bytes += entry.size;
      // GNU tar sets directories when all is in them; for others they stay open until that is done here.
      const mode = entry.type === "directory" && !isGnu ? entry.mode | 0o700 : entry.mode;
      await write(format({ ...entry, mode, path: toByteString(checked.path), xattrs: new Map() }));
      for await (const chunk of withoutHoles(content, entry.size)) await write(chunk);
      await write(padding(entry.size));
    }
    await write(endOfArchive);
    sink.end();
  } catch (error) {
    source.destroy();
    sink.destroy();
    throw isAnyprocError(error, "ANYPROC_ARCHIVE_INVALID")
      ? new AnyprocError(error.code, `${options.name}: ${error.message}`, { cause: error })
      : error;
  }
  // GNU tar makes symlinks last, and may forget to set the time of their directory again.
  const unfinished = [...directories.values()].filter(({ path }) => !isGnu || withLinks.has(path));
  return { entries, bytes, unfinished };
}

/** The entry's path as it may be used; undefined for what has to be left out. */
function checkEntry(entry: TarEntry, { symlinks, name, losses }: PassOptions): { readonly path: string } | undefined {
  const path = asText(entry.path)?.replace(/\/+$/, "");
  const target = entry.type === "hardlink" ? asText(entry.linkPath) : "";
  if (path === undefined || target === undefined) {
    losses.add(printable(entry.path), "file type", "its name is not UTF-8, so it was left out: rename it");
    return undefined;
  }
  if (path === "" || path === ".") return { path: "./" };
  if (entry.xattrs.size > 0 || entry.hasAcl) {
    losses.add(path, "xattr", "extended attributes and ACLs are not restored over SSH");
  }
  checkReachable(checkPath(path, name), symlinks, name);
  if (entry.type === "hardlink") checkReachable(checkPath(target, name), symlinks, name);
  if (entry.type === "symlink") symlinks.add(path);
  else symlinks.delete(path);
  return { path };
}

/** The text of a name, from the top of the archive. */
function asText(name: string): string | undefined {
  return decodeUtf8(bytesOf(name))?.replace(/^(\.?\/)+/, "");
}

function checkReachable(path: string, symlinks: ReadonlySet<string>, name: string): void {
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    if (symlinks.has(parent)) throw throughSymlink(name, path, parent);
  }
}

function throughSymlink(name: string, path: string, link: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `${name}: ${JSON.stringify(path)} lies below the symlink ${JSON.stringify(link)}, which may lead anywhere: remove ` +
      "the link first, if you trust the archive",
  );
}
