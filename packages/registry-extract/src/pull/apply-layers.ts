import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { imageError, reasonOf } from "../errors.ts";
import { applyInWorker } from "../layers/apply-in-worker.ts";
import type { LayerInput } from "../layers/apply-job.ts";
import type { ImageLimits } from "../layers/limits.ts";
import { createStaging, discard, publishStaging } from "./staging.ts";

/** A layer in a file: a tar archive, compressed or not. */
export interface LayerFile {
  readonly path: string;
  /** Where in the file it begins. @default 0 */
  readonly offset?: number;
  /** Bytes. @default the rest of the file */
  readonly size?: number;
  /** What its digest must be. @default not checked */
  readonly digest?: string;
  /** What its digest must be when it is uncompressed. @default not checked */
  readonly diffId?: string | undefined;
}

/** How layers are applied. */
export interface ApplyOptions extends ImageLimits {
  /** Make owners and devices real; else they are written to the metadata file. @default true for root */
  readonly privileged?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Applies layers, lowest first, to a new directory, which appears whole or not at all.
 *
 * @throws ANYPROC_TARGET_EXISTS, ANYPROC_TARGET_UNWRITABLE, ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH,
 * ANYPROC_IMAGE_LIMIT, ANYPROC_DIGEST_MISMATCH
 */
export async function applyLayers(
  layers: readonly LayerFile[],
  directory: string,
  { privileged, signal, ...limits }: ApplyOptions = {},
): Promise<void> {
  const target = resolve(directory);
  const inputs = await Promise.all(layers.map(locate));
  const staging = await createStaging(target);
  try {
    const job = {
      root: staging.directory,
      metadataPath: staging.metadata,
      layers: inputs,
      privileged: privileged ?? process.geteuid?.() === 0,
      limits,
      filter: {},
      linkTargets: [],
    };
    await applyInWorker(job, {}, signal);
    await publishStaging(staging, target);
  } catch (error) {
    await discard(staging.directory);
    throw error;
  }
}

async function locate({ path, offset = 0, size, digest, diffId }: LayerFile): Promise<LayerInput> {
  try {
    return { path, offset, size: size ?? (await stat(path)).size - offset, growth: undefined, digest, diffId };
  } catch (error) {
    throw imageError("ANYPROC_IMAGE_NOT_FOUND", `layer ${path}: cannot be read: ${reasonOf(error)}`, error);
  }
}
