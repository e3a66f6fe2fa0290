import { AnyprocError, type Environment, exec, systemErrorCode } from "@anyproc/core";
import type { FileEntryWithStats, Stats } from "ssh2";
import { ask, forEachParallel } from "../files/sftp-request.ts";
import type { SftpSource } from "../files/sftp-source.ts";
import type { RemoteTools } from "./remote-tools.ts";
import {
  checkPath,
  type EntryType,
  entryType,
  type Losses,
  parentOf,
  type Tree,
  type TreeEntry,
  toTree,
  unsafePath,
} from "./tree.ts";

/** A remote directory, and the ways to reach it. */
export interface RemoteDirectory {
  readonly path: string;
  readonly name: string;
  readonly environment: Environment;
  readonly sftp: SftpSource;
}

// Directories that are read at once over SFTP.
const readsInFlight = 32;

/**
 * Lists a remote directory, parents before their children: with one find(1) where it is GNU's, else over SFTP.
 *
 * @throws ANYPROC_ROOTFS_NOT_FOUND
 */
export async function listRemoteTree(
  remote: RemoteDirectory,
  tools: RemoteTools,
  losses: Losses,
): Promise<Map<string, TreeEntry>> {
  await checkRemoteDirectory(remote);
  const entries = tools.hasGnuFind ? await listWithFind(remote, losses) : await listWithSftp(remote);
  const tree = toTree(entries, losses);
  for (const path of tree.keys()) checkPlace(path, tree, remote.name);
  return tree;
}

/** A name whose parent is no directory of the same tree could lead through a link on the other side. */
function checkPlace(path: string, tree: Tree, source: string): void {
  const parent = parentOf(checkPath(path, source));
  if (parent !== "" && tree.get(parent)?.type !== "directory") throw unsafePath(path, source);
}

// find(1), "-printf": type, mode, user, group, size, time, names of the file, device and inode, target, path.
const format = "%y\\0%m\\0%U\\0%G\\0%s\\0%T@\\0%n\\0%D:%i\\0%l\\0%P\\0";
const fieldCount = 10;

const findTypes: Readonly<Record<string, EntryType>> = {
  f: "file",
  d: "directory",
  l: "symlink",
  p: "fifo",
  s: "socket",
  b: "block-device",
  c: "character-device",
};

/** @throws ANYPROC_ROOTFS_NOT_FOUND */
export async function checkRemoteDirectory(remote: RemoteDirectory): Promise<void> {
  const stats = await remote.sftp
    .use("stat", remote.path, (sftp) => ask<Stats>(sftp, (done) => sftp.stat(remote.path, done)))
    .catch((error: unknown) => {
      if (systemErrorCode(error) !== "ENOENT") throw error;
      return undefined;
    });
  if (stats?.isDirectory()) return;
  throw new AnyprocError(
    "ANYPROC_ROOTFS_NOT_FOUND",
    `${remote.name}: ${stats ? "it is no directory" : "there is no such directory"}: check the path on the server`,
  );
}

async function listWithFind(remote: RemoteDirectory, losses: Losses): Promise<TreeEntry[]> {
  const argv = ["find", `${remote.path}/`, "-mindepth", "1", "-printf", format] as const;
  const { stdout } = await exec(remote.environment, { argv, cwd: "/" }, { maxOutputBytes: 2 ** 31 });
  const fields = stdout.split("\0");
  // Half a list must not be taken for what is there.
  if (fields.length % fieldCount !== 1) throw new Error("the remote find(1) said something else than it was asked for");
  const entries: TreeEntry[] = [];
  for (let at = 0; at + fieldCount <= fields.length; at += fieldCount) {
    const [letter = "", mode = "", uid, gid, size, time, names, inode, target, path = ""] = fields.slice(
      at,
      at + fieldCount,
    );
    const type = findTypes[letter];
    if (type === undefined) {
      losses.add(path, "file type", `find(1) calls its type ${letter}, so it was left out`);
      continue;
    }
    entries.push({
      path,
      type,
      mode: Number.parseInt(mode, 8),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
      mtime: Math.floor(Number(time)),
      target: type === "symlink" ? target : undefined,
      inode: type === "file" && Number(names) > 1 ? inode : undefined,
    });
  }
  return entries;
}

async function listWithSftp(remote: RemoteDirectory): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  async function walk(directory: string): Promise<void> {
    const path = directory === "" ? remote.path : `${remote.path}/${directory}`;
    const listed = await remote.sftp.use("scandir", path, (sftp) =>
      ask<FileEntryWithStats[]>(sftp, (done) => sftp.readdir(path, done)),
    );
    const found = await Promise.all(
      listed.map(async ({ filename, attrs }) => {
        const entry = directory === "" ? filename : `${directory}/${filename}`;
        return toEntry(remote, checkPath(entry, remote.name), attrs);
      }),
    );
    entries.push(...found);
    await forEachParallel(
      found.filter(({ type }) => type === "directory"),
      readsInFlight,
      (entry) => walk(entry.path),
    );
  }
  await walk("");
  // Siblings were walked side by side; parents go before their children.
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function toEntry(remote: RemoteDirectory, path: string, stats: Stats): Promise<TreeEntry> {
  const type = entryType(stats);
  const file = `${remote.path}/${path}`;
  return {
    path,
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    mtime: stats.mtime,
    target:
      type === "symlink"
        ? await remote.sftp.use("readlink", file, (sftp) => ask<string>(sftp, (done) => sftp.readlink(file, done)))
        : undefined,
  };
}
