import { imageError } from "../errors.ts";
import { digestOf } from "../image/digest.ts";
import { mediaTypes, type RawManifest } from "../image/manifest.ts";
import { hostPlatform } from "../image/platform.ts";
import { hashRegion } from "./docker-archive-source.ts";
import type { FileRegion, ImageSource } from "./source.ts";

/** A root filesystem in a tar archive, compressed or not: an image of one layer with an empty config. */
export function rootfsSource(name: string, region: FileRegion): ImageSource {
  const config = Buffer.from(
    JSON.stringify({ ...hostPlatform(), config: {}, rootfs: { type: "layers", diff_ids: [] } }),
  );
  let layerDigest: string | undefined;

  async function readManifest(): Promise<RawManifest> {
    layerDigest ??= await hashRegion(region);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.ociLayer, digest: layerDigest, size: region.size }],
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), bytes };
  }

  const close = async () => {};
  return {
    name,
    isPlainRootfs: true,
    readManifest,
    findBlob: async ({ digest }) => (digest === layerDigest ? region : undefined),
    openBlob: async ({ digest }) => {
      if (digest === digestOf(config)) return { offset: 0, chunks: once(config) };
      throw imageError("ANYPROC_IMAGE_INVALID", `${name}: has no blob ${digest}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
