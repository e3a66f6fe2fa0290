import { constants } from "node:fs";
import { copyFile, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Descriptor } from "../image/descriptor.ts";
import { parseDigest } from "../image/digest.ts";
import { sizeOf } from "./files.ts";
import type { CacheLayout } from "./layout.ts";
import { isAbandoned, isOwnName, ownerName } from "./owner.ts";

/** An unfinished file of this process's own. */
export interface PartialFile {
  readonly path: string;
  /** Bytes that are there already, from a download that was broken off. */
  readonly bytes: number;
}

const suffix = ".partial";
const pollMs = 100;
// So long may another process's download stand still before its blob is fetched here as well.
const patienceMs = 3000;

/**
 * Begins a file for a download with a copy of what earlier ones left behind. It is a copy, since its writer may still
 * be alive somewhere: so nobody ever writes to a file that somebody else reads or checks.
 */
export async function createPartial(
  layout: CacheLayout,
  descriptor: Descriptor,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<PartialFile> {
  await mkdir(layout.partial, { recursive: true });
  const path = join(layout.partial, `${parseDigest(descriptor.digest).hex}.${ownerName()}${suffix}`);
  active.add(path);
  await writeFile(path, "", { flag: "wx" });
  let bytes = 0;
  for (const other of fresh ? [] : await listPartials(layout, descriptor)) {
    const size = (await sizeOf(other)) ?? 0;
    if (size <= bytes || size > descriptor.size) continue;
    // The other file may be moved to its place while it is copied: then the whole download is there anyway.
    await copyFile(other, path, constants.COPYFILE_FICLONE).catch(() => {});
    bytes = (await sizeOf(path)) ?? 0;
  }
  if (bytes > descriptor.size) {
    await truncate(path, 0);
    bytes = 0;
  }
  return { path, bytes };
}

/** The unfinished files of a blob, of whatever process. */
async function listPartials(layout: CacheLayout, descriptor: Descriptor): Promise<string[]> {
  const prefix = `${parseDigest(descriptor.digest).hex}.`;
  const names = await readdir(layout.partial).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => join(layout.partial, name));
}

/** Files that this process is writing at present; others of its name are left over from what failed. */
const active = new Set<string>();

/** Removes what processes that have ended left of a blob. */
export async function removeAbandoned(layout: CacheLayout, descriptor: Descriptor): Promise<void> {
  for (const path of await listPartials(layout, descriptor)) {
    if (isLeftOver(path)) await rm(path, { force: true });
  }
}

/** Says that this process has done with a file. */
export function releasePartial(path: string): void {
  active.delete(path);
}

function isLeftOver(path: string): boolean {
  const owner = basename(path, suffix).replace(/^[0-9a-f]+\./, "");
  return isOwnName(owner) ? !active.has(path) : isAbandoned(owner);
}

/** Waits as long as another process gets on with the same blob. */
export async function waitForOthers(layout: CacheLayout, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
  let total = -1;
  let since = Date.now();
  for (;;) {
    const paths = (await listPartials(layout, descriptor)).filter((path) => !isLeftOver(path));
    if (paths.length === 0) return;
    const sizes = await Promise.all(paths.map(sizeOf));
    const now = sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
    if (now !== total) since = Date.now();
    else if (Date.now() - since > patienceMs) return;
    total = now;
    await sleep(pollMs, undefined, { signal });
  }
}
