import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { imageError } from "../errors.ts";
import { parseImageConfig } from "../image/config.ts";
import { type Descriptor, isRecord } from "../image/descriptor.ts";
import { digestOf } from "../image/digest.ts";
import { mediaTypes, type RawManifest } from "../image/manifest.ts";
import { parseJson } from "../image/parse-json.ts";
import { formatReference, parseReference } from "../image/reference.ts";
import { detectCompression } from "../layers/decompress.ts";
import { type BlobStore, readRegion, readShortFile } from "./blob-store.ts";
import type { FileRegion, ImageSource } from "./source.ts";

/** One image of an archive's manifest.json. */
interface ArchivedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/**
 * An archive as `docker save` writes it (moby, image/spec/v1.2.md). It has no manifest of the kind that registries
 * have: one is made up out of its config and layers.
 *
 * @param tag which of several images; undefined where there is only one
 */
export function dockerArchiveSource(store: BlobStore, tag: string | undefined): ImageSource {
  const name = tag === undefined ? store.name : `${store.name}:${tag}`;
  const blobs = new Map<string, FileRegion>();

  async function readRoot(): Promise<RawManifest> {
    const image = chooseImage(name, parseArchive(name, await readShortFile(store, "manifest.json")), tag);
    const configBytes = await readShortFile(store, image.config);
    const config = parseImageConfig(name, configBytes);
    const configRegion = await found(image.config);
    const layers: Descriptor[] = [];
    for (const [index, path] of image.layers.entries()) {
      const region = await found(path);
      const digest = await layerDigest(region, config.diffIds[index]);
      blobs.set(digest, region);
      layers.push({ mediaType: mediaTypes.ociLayer, digest, size: region.size });
    }
    const configDigest = digestOf(configBytes);
    blobs.set(configDigest, configRegion);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: configDigest, size: configRegion.size },
      layers,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), bytes };
  }

  async function found(path: string): Promise<FileRegion> {
    const region = await store.find(path);
    if (!region) throw imageError("ANYPROC_IMAGE_INVALID", `${name}: has no ${path}: the archive is not complete`);
    return region;
  }

  return {
    name,
    readManifest: readRoot,
    findBlob: async (descriptor) => blobs.get(descriptor.digest),
    openBlob: async ({ digest }) => {
      throw imageError("ANYPROC_IMAGE_INVALID", `${name}: has no blob ${digest}: the archive is not complete`);
    },
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** Layers are most often not compressed: then the config knows the digest, which is checked when they are unpacked. */
async function layerDigest(region: FileRegion, diffId: string | undefined): Promise<string> {
  const start = await readRegion({ ...region, size: Math.min(region.size, 8) });
  return diffId !== undefined && detectCompression(start) === "none" ? diffId : hashRegion(region);
}

/** Digest of a piece of a file. */
export async function hashRegion({ path, offset, size }: FileRegion): Promise<string> {
  const hash = createHash("sha256");
  if (size > 0) {
    for await (const chunk of createReadStream(path, {
      start: offset,
      end: offset + size - 1,
      highWaterMark: 262_144,
    })) {
      hash.update(chunk as Buffer);
    }
  }
  return `sha256:${hash.digest("hex")}`;
}

function parseArchive(name: string, bytes: Buffer): ArchivedImage[] {
  const json = parseJson(`${name}: manifest.json`, bytes);
  const images = Array.isArray(json) ? json.filter(isRecord) : [];
  return images.map(({ Config: config, RepoTags: tags, Layers: layers }) => {
    if (typeof config !== "string" || !Array.isArray(layers)) {
      throw imageError("ANYPROC_IMAGE_INVALID", `${name}: its manifest.json is not docker's`);
    }
    return { config, tags: texts(tags), layers: texts(layers) };
  });
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function chooseImage(name: string, images: readonly ArchivedImage[], tag: string | undefined): ArchivedImage {
  const [only] = images;
  if (tag === undefined && only && images.length === 1) return only;
  const chosen = tag && images.find(({ tags }) => tags.some((known) => known === tag || isSame(known, tag)));
  if (chosen) return chosen;
  const known = images.flatMap(({ tags }) => tags).join(", ") || "none that has a name";
  throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${name}: choose an image of the archive: there is ${known}`);
}

/** True for two ways to write one reference, or for the tag alone. */
function isSame(known: string, wanted: string): boolean {
  if (known.endsWith(`:${wanted}`)) return true;
  try {
    return formatReference(parseReference(known)) === formatReference(parseReference(wanted));
  } catch {
    return false;
  }
}
