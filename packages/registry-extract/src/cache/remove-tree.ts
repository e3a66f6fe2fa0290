import { chmod, lstat, opendir, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";

/** Removes a directory with everything in it, also when it holds directories that are closed to their owner. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EACCES" && code !== "EPERM") throw error;
    await openDirectories(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openDirectories(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for await (const entry of await opendir(path)) {
    if (entry.isDirectory()) await openDirectories(join(path, entry.name));
  }
}
