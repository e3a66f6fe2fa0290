import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { isRecord } from "../image/descriptor.ts";
import { type CacheLayout, cacheLayout } from "./layout.ts";
import { isAbandoned, ownerName } from "./owner.ts";
import { removeTree } from "./remove-tree.ts";

/** What is pruned. */
export interface PruneOptions {
  /** @default `$ANYPROC_HOME/images`, or below XDG_DATA_HOME */
  readonly cacheDirectory?: string;
  /** What may stay, in bytes; what was used last stays longest. @default 0 */
  readonly maxBytes?: number;
  /** Nothing is removed that was used within this time, in milliseconds. @default 0 */
  readonly unusedForMs?: number;
}

/** What a pruning did. */
export interface PruneReport {
  readonly removedBytes: number;
  readonly keptBytes: number;
}

interface Candidate {
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

/**
 * Removes from the cache what was not used for longest, until no more than `maxBytes` are left. Unpacked layers stay
 * for as long as a directory exists that was pulled with `layers: "stacked"`. Other processes may use the cache
 * meanwhile.
 */
export async function pruneCache(options: PruneOptions = {}): Promise<PruneReport> {
  const layout = cacheLayout(options.cacheDirectory);
  const before = Date.now() - (options.unusedForMs ?? 0);
  await removeLeftOvers(layout);
  const used = await usedLayers(layout);
  const candidates = [...(await list(layout.blobs, fileSize)), ...(await list(layout.layers, layerBytes))].sort(
    (a, b) => a.usedAtMs - b.usedAtMs,
  );
  let keptBytes = candidates.reduce((sum, { bytes }) => sum + bytes, 0);
  let removedBytes = 0;
  for (const { path, bytes, usedAtMs } of candidates) {
    if (keptBytes <= (options.maxBytes ?? 0)) break;
    if (usedAtMs > before || used.has(path)) continue;
    await remove(layout, path);
    keptBytes -= bytes;
    removedBytes += bytes;
  }
  return { removedBytes, keptBytes };
}

/** Takes something away at once, and removes it then. */
async function remove(layout: CacheLayout, path: string): Promise<void> {
  const doomed = join(layout.directory, `removed.${ownerName()}`);
  try {
    await rename(path, doomed);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    return;
  }
  await removeTree(doomed);
}

/** Layers that some directory uses; notes of directories that are gone are removed. */
async function usedLayers(layout: CacheLayout): Promise<Set<string>> {
  const used = new Set<string>();
  for (const name of await names(layout.users)) {
    const path = join(layout.users, name);
    const note = await readNote(path);
    if (!note) continue;
    const exists = await stat(note.directory).then(
      () => true,
      () => false,
    );
    if (exists || !isAbandoned(note.owner)) for (const layer of note.layers) used.add(layer);
    else await rm(path, { force: true });
  }
  return used;
}

async function readNote(path: string) {
  let note: unknown;
  try {
    note = JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(note) || !Array.isArray(note["layers"])) return undefined;
  return {
    directory: String(note["directory"]),
    owner: String(note["owner"]),
    layers: note["layers"].filter((layer) => typeof layer === "string"),
  };
}

/** Removes what ended processes left: downloads are kept for a day, in which they can be gone on with. */
async function removeLeftOvers(layout: CacheLayout): Promise<void> {
  const dayAgo = Date.now() - 24 * 3_600_000;
  for (const name of await names(layout.partial)) {
    const path = join(layout.partial, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats && stats.mtimeMs < dayAgo) await rm(path, { force: true });
  }
  for (const directory of [layout.directory, ...(await subdirectories(layout.layers))]) {
    for (const name of await names(directory)) {
      const owner = /^(?:removed|[0-9a-f]{64,128})\.(.+?)(?:\.partial)?$/.exec(name)?.[1];
      if (owner !== undefined && isAbandoned(owner)) await removeTree(join(directory, name));
    }
  }
}

/** What lies below a directory of digests: `sha256/HEX`. */
async function list(directory: string, sizeOf: (path: string) => Promise<number>): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const algorithm of await subdirectories(directory)) {
    for (const name of await names(algorithm)) {
      if (!/^[0-9a-f]{64,128}$/.test(name)) continue;
      const path = join(algorithm, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats) found.push({ path, bytes: await sizeOf(path), usedAtMs: stats.mtimeMs });
    }
  }
  return found;
}

async function fileSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function layerBytes(path: string): Promise<number> {
  try {
    const record: unknown = JSON.parse(await readFile(join(path, "layer.json"), "utf8"));
    return isRecord(record) && typeof record["bytes"] === "number" ? record["bytes"] : 0;
  } catch {
    return 0;
  }
}

async function subdirectories(directory: string): Promise<string[]> {
  return (await names(directory)).filter((name) => /^sha\d+$/.test(name)).map((name) => join(directory, name));
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}
