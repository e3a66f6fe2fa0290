import { resolve } from "node:path";
import { cacheLayout } from "../cache/layout.ts";
import { type Image, openImage } from "../image/open-image.ts";
import { openSource } from "../sources/open-source.ts";
import { retryOptions } from "../registry/connect.ts";
import { writeImageRecord } from "./image-file.ts";
import type { PullOptions } from "./options.ts";
import { discard, publishStaging } from "./staging.ts";
import { unpackImage } from "./unpack-image.ts";

/** A pulled image. */
export interface PulledImage {
  /** The root filesystem. */
  readonly directory: string;
  readonly image: Image;
  readonly entries: number;
  /** Uncompressed bytes of the layers. */
  readonly bytes: number;
  /** True when there is a metadata file beside the directory: owners, devices and attributes that it cannot hold. */
  readonly hasMetadata: boolean;
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
export async function pullImage(reference: string, directory: string, options: PullOptions = {}): Promise<PulledImage> {
  const target = resolve(directory);
  const layout = cacheLayout(options.cacheDirectory);
  const { onProgress, signal } = options;
  onProgress?.({ phase: "resolve", reference });
  const source = await openSource(reference, options);
  try {
    const image = await openImage(source, layout, options);
    const layers = image.manifest.layers.map(({ digest, size }) => ({ digest, totalBytes: size }));
    onProgress?.({ phase: "layers", layers });
    const retry = retryOptions(options);
    const { staging, result } = await unpackImage({ source, image, layout, retry, options }, target);
    try {
      signal?.throwIfAborted();
      await writeImageRecord(target, image);
      await publishStaging(staging, target);
    } catch (error) {
      await discard(staging.directory);
      throw error;
    }
    onProgress?.({ phase: "done", directory: target, digest: image.digest });
    const { entries, bytes, hasMetadata } = result;
    return { directory: target, image, entries, bytes, hasMetadata };
  } finally {
    await source.close();
  }
}
