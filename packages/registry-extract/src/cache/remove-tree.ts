import type { Dirent } from "node:fs";
import { chmod, lstat, opendir, rmdir, unlink } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import { type ByteString, toByteString } from "@anyproc/core/tar";
import { hostPath } from "../layers/host-path.ts";

// Enough for the thread pool. fs.rm() begins with everything at once, which takes a kilobyte for each.
const entriesAtOnce = 32;

/** Removes a directory with everything in it, also when it holds directories that are closed to their owner. */
export async function removeTree(path: string): Promise<void> {
  const stats = await lstat(path).catch(unlessGone);
  if (!stats) return;
  if (stats.isDirectory()) await removeDirectory(toByteString(path));
  else await unlink(path).catch(unlessGone);
}

async function removeDirectory(path: ByteString): Promise<void> {
  const host = hostPath(path);
  // Where that fails, what is inside has the better words for it.
  await chmod(host, 0o700).catch(() => {});
  do await empty(path);
  while (!(await isRemoved(host)));
}

async function empty(path: ByteString): Promise<void> {
  const entries = await opendir(hostPath(path), { encoding: "latin1" }).catch(unlessGone);
  if (!entries) return;
  let some: Dirent[] = [];
  for await (const entry of entries) {
    if (some.push(entry) < entriesAtOnce) continue;
    await removeEntries(path, some);
    some = [];
  }
  await removeEntries(path, some);
}

async function removeEntries(path: ByteString, entries: readonly Dirent[]): Promise<void> {
  const full: ByteString[] = [];
  await Promise.all(
    entries.map(async (entry) => {
      const inner = `${path}/${entry.name}`;
      if (!entry.isDirectory()) await unlink(hostPath(inner)).catch(unlessGone);
      else if (!(await isRemoved(hostPath(inner)))) full.push(inner);
    }),
  );
  for (const inner of full) await removeDirectory(inner);
}

/** False when something is left: a directory that is changed while it is read need not be read in full. */
async function isRemoved(host: string | Buffer): Promise<boolean> {
  try {
    await rmdir(host);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(systemErrorCode(error) ?? "")) return false;
    unlessGone(error);
  }
  return true;
}

function unlessGone(error: unknown): undefined {
  if (systemErrorCode(error) !== "ENOENT") throw error;
}
