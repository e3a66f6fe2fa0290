import { createHash } from "node:crypto";
import { chmod, lstat, readdir, readFile, readlink } from "node:fs/promises";

/** Everything about a tree that tar can carry, by path, as text that compares well. */
export async function snapshot(directory: string): Promise<Record<string, string>> {
  const places: Record<string, string> = {};
  const inodes = new Map<bigint, string>();

  async function visit(name: string): Promise<void> {
    const path = Buffer.from(name === "" ? directory : `${directory}/${name}`, "latin1");
    const stats = await lstat(path, { bigint: true });
    const mode = Number(stats.mode) & 0o7777;
    const first = inodes.get(stats.ino);
    if (stats.isFile() && first === undefined) inodes.set(stats.ino, name);
    const content = stats.isFile()
      ? createHash("sha256")
          .update(await opened(path, mode, 0o400, () => readFile(path)))
          .digest("hex")
          .slice(0, 16)
      : stats.isSymbolicLink()
        ? (await readlink(path, { encoding: "buffer" })).toString("latin1")
        : `${stats.rdev}`;
    places[name] = [
      stats.mode.toString(8),
      stats.uid,
      stats.gid,
      stats.mtimeNs,
      stats.isDirectory() ? "" : `${stats.nlink} ${stats.size}`,
      first ?? "",
      content,
    ].join(" ");
    if (!stats.isDirectory()) return;
    await opened(path, mode, 0o500, async () => {
      for (const child of (await readdir(path, { encoding: "latin1" })).sort()) {
        await visit(name === "" ? child : `${name}/${child}`);
      }
    });
  }

  await visit("");
  return places;
}

/** Looks into a file or a directory that its modes may keep even its owner out of; root would not need it. */
async function opened<Result>(path: Buffer, mode: number, need: number, look: () => Promise<Result>): Promise<Result> {
  if ((mode & need) === need) return look();
  await chmod(path, mode | need);
  try {
    return await look();
  } finally {
    await chmod(path, mode);
  }
}
