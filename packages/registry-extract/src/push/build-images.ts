import type { CacheLayout } from "../cache/layout.ts";
import { imageError } from "../errors.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { digestOf } from "../image/digest.ts";
import { mediaTypes } from "../image/manifest.ts";
import { formatPlatform } from "../image/platform.ts";
import { type BuiltImage, buildImage, type ImageInput } from "./build-image.ts";

/** Images that belong together. */
export interface BuiltImages {
  readonly images: readonly BuiltImage[];
  /** What a tag names: the manifest of the only image, or the index of several. */
  readonly root: Descriptor;
  /** The bytes of every manifest, that of the root last. */
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly bytes: Buffer }[];
}

/**
 * Makes images of one layer each; several become an index.
 *
 * @param name for messages
 * @throws ANYPROC_INVALID_OPTION, ANYPROC_ROOTFS_INVALID
 */
export async function buildImages(
  name: string,
  inputs: readonly ImageInput[],
  layout: CacheLayout,
  signal?: AbortSignal,
): Promise<BuiltImages> {
  const images: BuiltImage[] = [];
  for (const input of inputs) images.push(await buildImage(input, layout, signal));
  checkPlatforms(name, images);
  const manifests = images.map(({ descriptor, manifest }) => ({ descriptor, bytes: manifest }));
  const [only] = manifests;
  if (only && manifests.length === 1) return { images, root: only.descriptor, manifests };
  const bytes = formatIndex(images.map(({ descriptor }) => descriptor));
  const root = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
  return { images, root, manifests: [...manifests, { descriptor: root, bytes }] };
}

/** The JSON of an index (OCI image-spec, image-index.md). */
export function formatIndex(manifests: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

function checkPlatforms(name: string, built: readonly BuiltImage[]): void {
  if (built.length === 0) throw imageError("ANYPROC_INVALID_OPTION", `${name}: there is no image to push`);
  const names = built.map(({ platform }) => formatPlatform(platform));
  const double = names.find((platform, index) => names.indexOf(platform) !== index);
  if (double !== undefined) {
    throw imageError("ANYPROC_INVALID_OPTION", `${name}: two images are for ${double}: give each its own platform`);
  }
}
