import type { BigIntStats } from "node:fs";
import { chmod } from "node:fs/promises";

const ownerMayRead = 0o400n;
const ownerMayList = 0o500n;

/**
 * Gives the owner access to a file or directory whose mode keeps even the owner out, as long as it takes to pack it.
 * Returns what puts the mode back.
 */
export async function openUp(path: Buffer, stats: BigIntStats): Promise<() => Promise<void>> {
  const needed = stats.isDirectory() ? ownerMayList : ownerMayRead;
  const isOwner = Number(stats.uid) === process.geteuid?.() && stats.uid !== 0n;
  if (!isOwner || (stats.mode & needed) === needed) return async () => {};
  const mode = Number(stats.mode) & 0o7777;
  await chmod(path, mode | Number(needed));
  return () => chmod(path, mode);
}
