import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Duplex, PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { publishFile, writeFileAtomically } from "../cache/files.ts";
import type { CacheLayout } from "../cache/layout.ts";
import { ownerName } from "../cache/owner.ts";
import { imageError } from "../errors.ts";
import type { ImageConfig } from "../image/config.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { digestOf } from "../image/digest.ts";
import { mediaTypes } from "../image/manifest.ts";
import { hostPlatform, type Platform, parsePlatform } from "../image/platform.ts";
import type { Compression } from "../layers/decompress.ts";
import { readImageRecord } from "../pull/image-record.ts";
import { packRootfs } from "./pack-rootfs.ts";

/** An image to be made out of a root filesystem. */
export interface ImageInput {
  /** The directory; what its metadata file says counts too. */
  readonly rootfs: string;
  /** @default what the image that was unpacked there is for, else this machine's */
  readonly platform?: Platform | string;
  /** How it wants to be run. @default as the image that was unpacked there */
  readonly config?: Partial<Omit<ImageConfig, "platform" | "diffIds">>;
  /** @default "gzip" */
  readonly compression?: Compression;
}

/** An image in the cache. */
export interface BuiltImage {
  readonly platform: Platform;
  readonly manifest: Buffer;
  readonly descriptor: Descriptor;
  /** Config and layers, each a file of the cache. */
  readonly blobs: readonly Descriptor[];
}

const layerTypes: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** Makes an OCI image of one layer. @throws ANYPROC_INVALID_OPTION, ANYPROC_ROOTFS_INVALID */
export async function buildImage(input: ImageInput, layout: CacheLayout, signal?: AbortSignal): Promise<BuiltImage> {
  const unpacked = await readImageRecord(input.rootfs).catch(() => undefined);
  const known = unpacked?.config;
  const wanted = input.platform ?? known?.platform ?? hostPlatform();
  const platform = typeof wanted === "string" ? parsePlatform(wanted) : wanted;
  const { layer, diffId } = await buildLayer(input.rootfs, input.compression ?? "gzip", layout, signal);
  const config = Buffer.from(JSON.stringify(formatConfig({ ...known, ...input.config }, platform, diffId)));
  const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  await writeFileAtomically(layout.blob(configDescriptor.digest), config);
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: configDescriptor, layers: [layer] }),
  );
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length, platform };
  return { platform, manifest, descriptor, blobs: [configDescriptor, layer] };
}

async function buildLayer(rootfs: string, compression: Compression, layout: CacheLayout, signal?: AbortSignal) {
  await mkdir(layout.partial, { recursive: true });
  const path = join(layout.partial, `layer.${ownerName()}`);
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  try {
    await pipeline(
      Readable.from(hashing(packRootfs(rootfs), plain)),
      compressor(compression),
      (source: AsyncIterable<Buffer>) => hashing(source, packed),
      createWriteStream(path),
      signal ? { signal } : {},
    );
    const digest = `sha256:${packed.digest("hex")}`;
    const { size } = await stat(path);
    await publishFile(path, layout.blob(digest));
    const layer: Descriptor = { mediaType: layerTypes[compression], digest, size };
    return { layer, diffId: `sha256:${plain.digest("hex")}` };
  } finally {
    await rm(path, { force: true });
  }
}

async function* hashing(source: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

function compressor(compression: Compression): Duplex {
  if (compression === "none") return new PassThrough();
  if (compression === "gzip") return zlib.createGzip();
  if ("createZstdCompress" in zlib) return (zlib as { createZstdCompress(): Duplex }).createZstdCompress();
  throw imageError("ANYPROC_INVALID_OPTION", "compression zstd: this Node.js cannot write it (22.15 can): use gzip");
}

/** The JSON of the OCI image-spec's config.md. */
function formatConfig(config: Partial<ImageConfig>, platform: Platform, diffId: string): unknown {
  const { env, entrypoint, cmd, user, workdir, ports, volumes, labels, stopSignal, created } = config;
  const present = (names: readonly string[] | undefined) =>
    names?.length ? Object.fromEntries(names.map((name) => [name, {}])) : undefined;
  return {
    ...platform,
    created,
    config: {
      Env: env,
      Entrypoint: entrypoint?.length ? entrypoint : undefined,
      Cmd: cmd?.length ? cmd : undefined,
      User: user || undefined,
      WorkingDir: workdir || undefined,
      ExposedPorts: present(ports),
      Volumes: present(volumes),
      Labels: labels && Object.keys(labels).length > 0 ? labels : undefined,
      StopSignal: stopSignal,
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
}
