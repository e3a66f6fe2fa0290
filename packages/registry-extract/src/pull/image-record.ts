import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../cache/files.ts";
import { imageError, reasonOf } from "../errors.ts";
import type { ImageConfig } from "../image/config.ts";
import type { Image } from "../image/open-image.ts";
import type { UnpackedLayer } from "./layer-store.ts";

/** What is kept of an image beside the directory that it was unpacked into. */
export interface ImageRecord {
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** Directories of the unpacked layers, lowest first, when the image was pulled with `layers: "stacked"`. */
  readonly layers?: readonly string[];
}

/** Where it lies: beside the directory. */
export function imageRecordPath(directory: string): string {
  return `${directory.replace(/(?<!^)\/+$/, "")}.image.json`;
}

/** Writes it. */
export async function writeImageRecord(
  directory: string,
  image: Image,
  layers?: readonly UnpackedLayer[],
): Promise<void> {
  const record: ImageRecord = {
    reference: image.name,
    digest: image.digest,
    config: image.config,
    ...(layers && { layers: layers.map((layer) => layer.directory) }),
  };
  await writeFileAtomically(imageRecordPath(directory), `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * Reads it: how an image that was unpacked into this directory wants to be run.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND when the directory is no unpacked image; ANYPROC_IMAGE_INVALID
 */
export async function readImageRecord(directory: string): Promise<ImageRecord> {
  const path = imageRecordPath(directory);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${directory}: no image was unpacked there: ${reasonOf(error)}`, error);
  }
  try {
    return JSON.parse(text) as ImageRecord;
  } catch (error) {
    throw imageError("ANYPROC_IMAGE_INVALID", `${path}: is not JSON: pull the image again`, error);
  }
}
