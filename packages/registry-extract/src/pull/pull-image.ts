import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { cacheLayout } from "../cache/layout.ts";
import { pruneCache } from "../cache/prune.ts";
import { type Image, openImage } from "../image/open-image.ts";
import { startApplyWorker } from "../layers/apply-in-worker.ts";
import { retryOptions } from "../registry/connect.ts";
import { openSource } from "../sources/open-source.ts";
import { writeImageRecord } from "./image-record.ts";
import type { UnpackedLayer } from "./layer-store.ts";
import type { ImageOptions, PullOptions } from "./options.ts";
import { checkTarget, createStaging, discard, publishStaging, type Staging } from "./staging.ts";
import { type UnpackRequest, unpackImage } from "./unpack-image.ts";
import { unpackLayers } from "./unpack-layers.ts";

const defaultCacheBytes = 20 * 1024 ** 3;

/** A pulled image. */
export interface PulledImage {
  /** The root filesystem; with `layers: "stacked"` it is empty, for what is changed on top of the layers. */
  readonly directory: string;
  readonly image: Image;
  /** Uncompressed bytes of the layers. */
  readonly bytes: number;
  /** Only with `layers: "stacked"`: the unpacked layers, lowest first. */
  readonly layers?: readonly UnpackedLayer[];
}

/**
 * Unpacks an image into a directory, which appears whole or not at all. The image's config is kept beside it.
 *
 * @example
 * const { image } = await pullImage("debian:12", "/srv/debian");
 * console.log(image.config.env);
 * @throws ANYPROC_REFERENCE_INVALID, ANYPROC_TARGET_EXISTS, ANYPROC_TARGET_UNWRITABLE, ANYPROC_PLATFORM_NOT_FOUND,
 * ANYPROC_REGISTRY_..., ANYPROC_IMAGE_..., ANYPROC_DIGEST_MISMATCH, ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH
 */
export function pullImage(reference: string, directory: string, options: PullOptions = {}): Promise<PulledImage> {
  return pull(reference, directory, options);
}

/** Unpacks some paths of an image, and nothing below them. */
export async function pullPaths(
  reference: string,
  directory: string,
  paths: readonly string[],
  options: ImageOptions,
): Promise<void> {
  await pull(reference, directory, options, paths);
}

async function pull(
  reference: string,
  directory: string,
  options: PullOptions,
  exactly?: readonly string[],
): Promise<PulledImage> {
  const target = resolve(directory);
  const layout = cacheLayout(options.cacheDirectory);
  await checkTarget(target);
  // It gets ready while the registry is asked; unpacked layers may be there already, and need none.
  const worker = options.layers === "stacked" ? undefined : startApplyWorker(options);
  try {
    const source = await openSource(reference, options);
    try {
      options.onProgress?.({ phase: "resolve", reference });
      const image = await openImage(source, layout, options);
      const request = { source, image, layout, retry: retryOptions(options), options, exactly };
      return await pullFrom(request, target, worker);
    } finally {
      await source.close();
    }
  } finally {
    await worker?.terminate();
  }
}

async function pullFrom(request: UnpackRequest, target: string, worker: Worker | undefined): Promise<PulledImage> {
  const { image, layout, options } = request;
  const layers = image.manifest.layers.map(({ digest, size }) => ({ digest, totalBytes: size }));
  options.onProgress?.({ phase: "layers", layers });
  const pulled = worker ? await pullFlat(request, target, worker) : await pullStacked(request, target);
  await pruneCache({
    cacheDirectory: layout.directory,
    maxBytes: options.maxCacheBytes ?? defaultCacheBytes,
    unusedForMs: 3_600_000,
  });
  options.onProgress?.({ phase: "done", directory: target, digest: image.digest });
  return pulled;
}

async function pullFlat(request: UnpackRequest, target: string, worker: Worker): Promise<PulledImage> {
  const { image, options } = request;
  const { staging, result } = await unpackImage(request, target, worker);
  await publish(staging, target, image, options.signal);
  return { directory: target, image, bytes: result.bytes };
}

async function pullStacked(request: UnpackRequest, target: string): Promise<PulledImage> {
  const { image, options } = request;
  const staging = await createStaging(target);
  let layers: readonly UnpackedLayer[];
  try {
    layers = await unpackLayers(request, target);
  } catch (error) {
    await discard(staging.directory);
    throw error;
  }
  await publish(staging, target, image, options.signal, layers);
  const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  return { directory: target, image, bytes, layers };
}

async function publish(
  staging: Staging,
  target: string,
  image: Image,
  signal: AbortSignal | undefined,
  layers?: readonly UnpackedLayer[],
): Promise<void> {
  try {
    signal?.throwIfAborted();
    await writeImageRecord(target, image, layers);
    await publishStaging(staging, target);
  } catch (error) {
    await discard(staging.directory);
    throw error;
  }
}
