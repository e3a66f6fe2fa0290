import { chmod, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { rootfsMetadataPath, systemErrorCode } from "@anyproc/core";
import { isAbandoned, ownerName } from "../cache/owner.ts";
import { removeTree } from "../cache/remove-tree.ts";
import { imageError, reasonOf } from "../errors.ts";

/** A directory that becomes the target when it is complete. */
export interface Staging {
  readonly directory: string;
  /** Where to put what is to lie beside the target as its metadata. */
  readonly metadata: string;
}

const suffix = ".partial";

/**
 * Makes an empty directory beside the target, closed to everybody else, and removes those that ended processes left.
 *
 * @throws ANYPROC_TARGET_EXISTS when the target holds something already; ANYPROC_TARGET_UNWRITABLE
 */
export async function createStaging(target: string): Promise<Staging> {
  await checkTarget(target);
  const parent = dirname(target);
  const prefix = `.${basename(target)}.`;
  try {
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
      if (isAbandoned(name.slice(prefix.length, -suffix.length))) await discard(join(parent, name));
    }
    const directory = join(parent, `${prefix}${ownerName()}${suffix}`);
    await mkdir(directory);
    // Also takes away a set-group-ID bit that it has from its parent, and what is made inside would have from it.
    await chmod(directory, 0o700);
    return { directory, metadata: rootfsMetadataPath(directory) };
  } catch (error) {
    throw imageError("ANYPROC_TARGET_UNWRITABLE", `${target}: cannot be made: ${reasonOf(error)}`, error);
  }
}

/** @throws ANYPROC_TARGET_EXISTS unless there is nothing, or an empty directory */
export async function checkTarget(target: string): Promise<void> {
  const stats = await lstat(target).catch(() => undefined);
  if (!stats) return;
  const isEmpty = stats.isDirectory() && (await readdir(target)).length === 0;
  if (!isEmpty) throw targetExists(target);
}

/** Puts a complete directory into the target's place; nothing is ever seen of it before. */
export async function publishStaging({ directory, metadata }: Staging, target: string): Promise<void> {
  await rm(rootfsMetadataPath(target), { force: true });
  await rename(metadata, rootfsMetadataPath(target)).catch((error: unknown) => {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  });
  try {
    await rename(directory, target);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") throw targetExists(target);
    throw error;
  }
}

/** Removes an incomplete directory and its metadata. */
export async function discard(directory: string): Promise<void> {
  await rm(rootfsMetadataPath(directory), { force: true });
  await removeTree(directory);
}

function targetExists(target: string): Error {
  return imageError("ANYPROC_TARGET_EXISTS", `${target}: is there already: remove it, or choose another directory`);
}
