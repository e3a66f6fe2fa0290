import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isAnyprocError, systemErrorCode } from "@anyproc/core";
import { touch, writeFileAtomically } from "../cache/files.ts";
import type { CacheLayout } from "../cache/layout.ts";
import { ownerName } from "../cache/owner.ts";
import { isRecord } from "../image/descriptor.ts";
import type { WhiteoutForm } from "../layers/whiteout-writer.ts";
import { discard } from "./staging.ts";

/** A layer that was unpacked by itself. */
export interface UnpackedLayer {
  /** Its files. What the file system cannot hold is in the metadata file beside it. */
  readonly directory: string;
  /** How whiteouts stand in it. */
  readonly whiteouts: WhiteoutForm;
  /** Uncompressed bytes. */
  readonly bytes: number;
}

/** What is written beside an unpacked layer. */
interface LayerRecord {
  readonly whiteouts: WhiteoutForm;
  readonly bytes: number;
}

const rootfsName = "rootfs";
const recordName = "layer.json";

/** Finds an unpacked layer by one of its names. */
export async function findLayer(layout: CacheLayout, digest: string): Promise<UnpackedLayer | undefined> {
  const path = layout.layer(digest);
  let record: unknown;
  try {
    record = JSON.parse(await readFile(join(path, recordName), "utf8"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  if (!isRecord(record)) return undefined;
  await touch(path);
  const { whiteouts, bytes } = record as unknown as LayerRecord;
  return { directory: join(path, rootfsName), whiteouts, bytes };
}

/** Makes a layer: it is there for others whole or not at all. Of several that make the same, one counts. */
export async function makeLayer(
  layout: CacheLayout,
  digest: string,
  unpack: (directory: string) => Promise<LayerRecord>,
): Promise<UnpackedLayer> {
  const path = layout.layer(digest);
  const staging = `${path}.${ownerName()}.partial`;
  const directory = join(staging, rootfsName);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const record = await unpack(directory);
    await writeFile(join(staging, recordName), `${JSON.stringify(record)}\n`);
    await rename(staging, path).catch((error: unknown) => {
      if (!["ENOTEMPTY", "EEXIST"].includes(systemErrorCode(error) ?? "")) throw error;
    });
  } finally {
    await discard(staging);
  }
  const made = await findLayer(layout, digest);
  if (!made) throw new Error(`${path}: vanished while it was made`);
  return made;
}

/** Notes that a directory uses layers, so that they are not pruned while it exists, or while it is being made. */
export async function noteUser(layout: CacheLayout, directory: string, layers: readonly string[]): Promise<void> {
  const used = layers.map((layer) => dirname(layer));
  const note = { directory, layers: used, owner: ownerName() };
  await writeFileAtomically(layout.user(directory), `${JSON.stringify(note)}\n`);
}

/** True for the error that says that a layer cannot be unpacked without those below. */
export function needsLower(error: unknown): boolean {
  return isAnyprocError(error, "ANYPROC_LAYER_NEEDS_LOWER");
}
