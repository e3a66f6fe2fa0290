import { cacheLayout } from "../cache/layout.ts";
import { type Image, openImage } from "../image/open-image.ts";
import { openSource } from "../sources/open-source.ts";
import type { ImageOptions } from "./options.ts";

/** What an image is, without its layers. */
export interface InspectedImage extends Image {
  /** Compressed bytes of the layers. */
  readonly totalBytes: number;
}

/** Reads manifest and config of an image; layers are not fetched. @throws as pullImage() */
export async function inspectImage(reference: string, options: ImageOptions = {}): Promise<InspectedImage> {
  const layout = cacheLayout(options.cacheDirectory);
  const source = await openSource(reference, options);
  try {
    const image = await openImage(source, layout, options);
    const totalBytes = image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    return { ...image, totalBytes };
  } finally {
    await source.close();
  }
}
