import { constants, createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { systemErrorCode } from "@anyproc/core";
import { endOfArchive, formatHeader, padding, type TarEntry } from "@anyproc/core/tar";
import { sizeOf, writeFileAtomically } from "../cache/files.ts";
import { ownerName } from "../cache/owner.ts";
import { imageError, reasonOf } from "../errors.ts";
import { parseJsonObject } from "../image/parse-json.ts";
import type { SavedFile } from "./saved-files.ts";

/** Adds files to a directory, each of which appears whole. What is there already has its digest for a name, and stays. */
export async function writeDirectory(directory: string, files: readonly SavedFile[]): Promise<void> {
  for (const { path, content } of files) {
    const place = join(directory, path);
    if ((await sizeOf(place)) === (Buffer.isBuffer(content) ? content.length : content.size)) continue;
    if (Buffer.isBuffer(content)) await writeFileAtomically(place, content);
    else await copyAtomically(content.path, place);
  }
}

/** What the index of a layout lists; nothing where there is none yet. @throws ANYPROC_IMAGE_INVALID */
export async function readLayoutIndex(directory: string): Promise<readonly unknown[]> {
  const path = join(directory, "index.json");
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw imageError("ANYPROC_TARGET_UNWRITABLE", `${path}: cannot be read: ${reasonOf(error)}`, error);
  }
  const { manifests } = parseJsonObject(path, bytes);
  return Array.isArray(manifests) ? manifests : [];
}

/** Writes files into a tar archive, which appears whole. */
export async function writeArchive(path: string, files: readonly SavedFile[], signal?: AbortSignal): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${ownerName()}.partial`;
  try {
    await pipeline(
      Readable.from(archive(files)),
      createWriteStream(temporary, { flags: "wx" }),
      signal ? { signal } : {},
    );
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function* archive(files: readonly SavedFile[]): AsyncGenerator<Buffer> {
  const directories = new Set<string>();
  for (const { path, content } of files) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const directory = path.slice(0, slash);
      // skopeo gives a directory without an entry to root, which it cannot do for an ordinary user.
      if (!directories.has(directory)) yield formatHeader(entryOf("directory", directory, 0));
      directories.add(directory);
    }
    const size = Buffer.isBuffer(content) ? content.length : content.size;
    yield formatHeader(entryOf("file", path, size));
    if (Buffer.isBuffer(content)) yield content;
    else yield* createReadStream(content.path) as AsyncIterable<Buffer>;
    yield padding(size);
  }
  yield endOfArchive;
}

/** It belongs to who makes the archive: skopeo gives what it unpacks to the owner that is named. */
function entryOf(type: "file" | "directory", path: string, size: number): TarEntry {
  return {
    type,
    path,
    linkPath: "",
    mode: type === "file" ? 0o644 : 0o755,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    size,
    device: { major: 0, minor: 0 },
    xattrs: new Map(),
  };
}

async function copyAtomically(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const temporary = `${to}.${ownerName()}.partial`;
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}
