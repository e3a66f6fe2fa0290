import { cacheLayout } from "../cache/layout.ts";
import { imageError } from "../errors.ts";
import { formatReference, parseReference } from "../image/reference.ts";
import { connectRegistry } from "../registry/connect.ts";
import { dropBody } from "../registry/http.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";
import type { ImageInput } from "./build-image.ts";
import { buildImages } from "./build-images.ts";
import { type UploadResult, uploadBlob } from "./upload-blob.ts";

/** How an image is pushed. */
export interface PushOptions extends RegistryOptions {
  /** Upload in chunks of so many bytes, for registries and proxies that limit requests. @default in one request */
  readonly chunkBytes?: number;
  /** Another repository of the same registry to take blobs from that it has. @default none */
  readonly mountFrom?: string;
  /** @default `$ANYPROC_HOME/images`, or below XDG_DATA_HOME */
  readonly cacheDirectory?: string;
  readonly signal?: AbortSignal;
  /** Hears of each blob that is in the registry now. */
  readonly onBlob?: (digest: string, result: UploadResult) => void;
}

/** A pushed image. */
export interface PushedImage {
  readonly reference: string;
  /** Of the manifest, or of the index when there are several. */
  readonly digest: string;
}

/**
 * Makes an image of one layer out of a root filesystem and pushes it; several become an index, one a platform.
 *
 * @example
 * await pushImage("localhost:5000/team/tool:1", { rootfs: "/srv/tool", config: { cmd: ["/bin/tool"] } });
 * @throws ANYPROC_REFERENCE_INVALID, ANYPROC_INVALID_OPTION, ANYPROC_ROOTFS_INVALID, ANYPROC_REGISTRY_...
 */
export async function pushImage(
  reference: string,
  images: ImageInput | readonly ImageInput[],
  options: PushOptions = {},
): Promise<PushedImage> {
  const parsed = parseReference(reference);
  const name = formatReference(parsed);
  if (parsed.digest !== undefined) {
    throw imageError("ANYPROC_REFERENCE_INVALID", `${name}: a digest cannot be pushed to: give a tag`);
  }
  const inputs: readonly ImageInput[] = Array.isArray(images) ? images : [images as ImageInput];
  const layout = cacheLayout(options.cacheDirectory);
  const built = await buildImages(name, inputs, layout, options.signal);

  const { repository, tag = "latest" } = parsed;
  const { mountFrom, chunkBytes, signal } = options;
  const scope = `repository:${repository}:pull,push${mountFrom === undefined ? "" : ` repository:${mountFrom}:pull`}`;
  const connection = await connectRegistry(parsed.registry, options, signal);
  const { endpoint } = connection;

  async function putManifest(target: string, bytes: Buffer, mediaType: string): Promise<void> {
    const response = await endpoint.request({
      method: "PUT",
      path: `/v2/${repository}/manifests/${target}`,
      scope,
      what: name,
      headers: { "content-type": mediaType, "content-length": String(bytes.length) },
      body: bytes,
      signal,
    });
    await dropBody(response);
  }

  try {
    for (const blob of built.images.flatMap(({ blobs }) => blobs)) {
      const target = { endpoint, repository, scope, mountFrom, chunkBytes, signal };
      const result = await uploadBlob(target, layout.blob(blob.digest), blob);
      options.onBlob?.(blob.digest, result);
    }
    for (const { descriptor, bytes } of built.manifests) {
      await putManifest(descriptor === built.root ? tag : descriptor.digest, bytes, descriptor.mediaType);
    }
    return { reference: name, digest: built.root.digest };
  } finally {
    connection.close();
  }
}
