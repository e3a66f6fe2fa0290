import { cacheLayout } from "../cache/layout.ts";
import { flattenIndex } from "../image/resolve.ts";
import { type Image, openImage } from "../image/open-image.ts";
import { parseManifest } from "../image/manifest.ts";
import type { Platform } from "../image/platform.ts";
import { openSource } from "../sources/open-source.ts";
import type { ImageOptions } from "./options.ts";

/** What an image is, without its layers. */
export interface InspectedImage extends Image {
  /** Compressed bytes of the layers. */
  readonly totalBytes: number;
  /** Every platform that the reference has an image for. */
  readonly platforms: readonly Platform[];
}

/** Reads manifest and config of an image; layers are not fetched. @throws as pullImage() */
export async function inspectImage(reference: string, options: ImageOptions = {}): Promise<InspectedImage> {
  const layout = cacheLayout(options.cacheDirectory);
  const source = await openSource(reference, options);
  try {
    const image = await openImage(source, layout, options);
    const totalBytes = image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    if (image.rootDigest === image.digest) return { ...image, totalBytes, platforms: [image.platform] };
    const read = options.offline ? undefined : await source.readManifest(undefined, options.signal);
    const root = read && parseManifest(image.name, read);
    const listed = root?.kind === "index" ? await flattenIndex(image.name, source.readManifest, root, options.signal) : [];
    const platforms = listed.map(({ platform }) => platform).filter((platform) => platform !== undefined);
    return { ...image, totalBytes, platforms };
  } finally {
    await source.close();
  }
}
