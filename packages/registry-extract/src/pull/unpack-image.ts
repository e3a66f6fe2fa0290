import type { Worker } from "node:worker_threads";
import type { Blob } from "../cache/blob.ts";
import { fetchBlob } from "../cache/image-cache.ts";
import type { CacheLayout } from "../cache/layout.ts";
import { createLimiter } from "../cache/limiter.ts";
import type { Image } from "../image/open-image.ts";
import { applyInWorker, startApplyWorker } from "../layers/apply-in-worker.ts";
import type { ApplyResult } from "../layers/apply-job.ts";
import { DamagedLayerError } from "../layers/apply-layers.ts";
import type { ImageLimits } from "../layers/limits.ts";
import type { JobFilter } from "../layers/path-filter.ts";
import type { RetryOptions } from "../registry/retry.ts";
import type { ImageSource } from "../sources/source.ts";
import type { PullOptions } from "./options.ts";
import { createStaging, discard, type Staging } from "./staging.ts";

/** What an unpacking needs to know. */
export interface UnpackRequest {
  readonly source: ImageSource;
  readonly image: Image;
  readonly layout: CacheLayout;
  readonly retry: RetryOptions;
  readonly options: PullOptions;
  /** Only these paths of the image, and nothing below them. */
  readonly exactly?: readonly string[] | undefined;
}

/** An image in a directory that is still to be put in its place. */
export interface UnpackedImage {
  readonly staging: Staging;
  readonly result: ApplyResult;
}

/** One hard link to what is left out may lead to another; no real image goes further than a few. */
const mostRounds = 10;

/**
 * Fetches the layers of an image and applies them while they come, into a new directory beside the target. What earlier
 * downloads left behind may be damaged: then it is fetched once more.
 */
export async function unpackImage(request: UnpackRequest, target: string, firstWorker: Worker): Promise<UnpackedImage> {
  const linkTargets = new Set<string>();
  let fresh = false;
  for (let round = 1; ; round += 1) {
    const staging = await createStaging(target);
    try {
      const worker = round === 1 ? firstWorker : startApplyWorker(limitsOf(request.options));
      const result = await unpackOnce(request, staging, [...linkTargets], fresh, worker);
      const isComplete = result.missingTargets.length === 0 || round === mostRounds;
      if (isComplete) return { staging, result };
      for (const path of result.missingTargets) linkTargets.add(path);
    } catch (error) {
      await discard(staging.directory);
      if (fresh || !(error instanceof RetryFresh)) throw error instanceof RetryFresh ? error.cause : error;
      fresh = true;
      continue;
    }
    await discard(staging.directory);
  }
}

/** A layer was damaged that had been fetched, in part at least, some time ago. */
class RetryFresh extends Error {}

async function unpackOnce(
  { source, image, layout, retry, options, exactly }: UnpackRequest,
  staging: Staging,
  linkTargets: readonly string[],
  fresh: boolean,
  worker: Worker,
): Promise<ApplyResult> {
  const { onProgress } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const limit = createLimiter(options.parallel ?? 3);
  const { layers } = image.manifest;
  let blobs: Blob[] = [];
  try {
    blobs = await Promise.all(
      layers.map((descriptor, layer) => {
        const { digest, size: totalBytes } = descriptor;
        const onBytes = (bytes: number) => onProgress?.({ phase: "download", layer, digest, bytes, totalBytes });
        return fetchBlob(layout, source, descriptor, {
          retry,
          signal,
          limit,
          onBytes,
          fresh,
          offline: options.offline ?? false,
        });
      }),
    );
    for (const { complete } of blobs) complete.catch((error: unknown) => stop.abort(error));
    const accepted: Promise<void>[] = [];
    const result = await applyInWorker(
      {
        root: staging.directory,
        metadataPath: staging.metadata,
        layers: blobs.map(({ path, offset, size, growth, digest }, layer) => ({
          path,
          offset,
          size,
          growth,
          digest,
          diffId: image.config.diffIds[layer],
        })),
        privileged: options.privileged ?? process.geteuid?.() === 0,
        limits: limitsOf(options),
        filter: exactly ? { exactly } : filterOf(options),
        linkTargets,
      },
      {
        onProgress(layer, bytes) {
          const { digest, size: totalBytes } = layers[layer] as (typeof layers)[number];
          onProgress?.({ phase: "unpack", layer, digest, bytes, totalBytes });
        },
        onVerified(layer) {
          const taken = (blobs[layer] as Blob).accept();
          taken.catch((error: unknown) => stop.abort(error));
          accepted.push(taken);
        },
      },
      signal,
      worker,
    );
    await Promise.all(accepted);
    return result;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(blobs.map(({ complete }) => complete));
    const damaged = error instanceof DamagedLayerError ? blobs[error.layer] : undefined;
    await damaged?.reject();
    throw damaged?.isReused ? new RetryFresh("damaged", { cause: error }) : error;
  }
}

/** The limits among the options of a pull. */
export function limitsOf({ maxBytes, maxEntries, maxRatio, maxMemoryBytes }: PullOptions): ImageLimits {
  return {
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxEntries !== undefined && { maxEntries }),
    ...(maxRatio !== undefined && { maxRatio }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
  };
}

function filterOf({ include, exclude, stripComponents }: PullOptions): JobFilter {
  return {
    ...(include && { include }),
    ...(exclude && { exclude }),
    ...(stripComponents !== undefined && { stripComponents }),
  };
}
