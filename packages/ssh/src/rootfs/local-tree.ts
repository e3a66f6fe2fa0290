import { lstat, readdir, readlink, type Stats } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { entryType, type Losses, type TreeEntry, toTree } from "./tree.ts";

// The callback functions: half the cost of node:fs/promises for thousands of small calls.
const lstatOf = promisify(lstat);
const namesIn = promisify(readdir) as (path: string) => Promise<string[]>;
const targetOf = promisify(readlink) as (path: string) => Promise<string>;

/** Lists a directory of this machine, parents before their children. */
export async function listLocalTree(root: string, losses: Losses): Promise<Map<string, TreeEntry>> {
  const entries: TreeEntry[] = [];
  async function walk(directory: string): Promise<void> {
    const names = await namesIn(join(root, directory));
    const listed = await Promise.all(
      names.map(async (name) => {
        const path = directory === "" ? name : `${directory}/${name}`;
        return toEntry(path, join(root, path), await lstatOf(join(root, path)));
      }),
    );
    for (const entry of listed) {
      entries.push(entry);
      if (entry.type === "directory") await walk(entry.path);
    }
  }
  await walk("");
  return toTree(entries, losses);
}

async function toEntry(path: string, file: string, stats: Stats): Promise<TreeEntry> {
  const type = entryType(stats);
  return {
    path,
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    mtime: Math.floor(stats.mtimeMs / 1000),
    target: type === "symlink" ? await targetOf(file) : undefined,
    inode: type === "file" && stats.nlink > 1 ? `${stats.dev}:${stats.ino}` : undefined,
    device: type.endsWith("device") ? deviceNumbers(stats.rdev) : undefined,
  };
}

/** Major and minor as Linux packs them: makedev(3). */
function deviceNumbers(device: number): [number, number] {
  const packed = BigInt(device);
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & 0xfffff000n);
  const minor = (packed & 0xffn) | ((packed >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}
