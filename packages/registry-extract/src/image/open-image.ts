import { notCached, readCached, recallTag, rememberTag, writeCached } from "../cache/image-cache.ts";
import type { CacheLayout } from "../cache/layout.ts";
import { imageError } from "../errors.ts";
import { readBody } from "../registry/http.ts";
import { readRegion } from "../sources/blob-store.ts";
import type { RegistrySource } from "../sources/registry-source.ts";
import type { ImageSource } from "../sources/source.ts";
import { type ImageConfig, parseImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { checkDigest } from "./digest.ts";
import type { ImageManifest, RawManifest } from "./manifest.ts";
import { formatPlatform, hostPlatform, type Platform, parsePlatform, platformScore } from "./platform.ts";
import { resolveManifest } from "./resolve.ts";

/** An image of which everything but the layers has been read. */
export interface Image {
  /** Full form of the reference, for messages. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Of what the reference itself names: the index, where there is one. */
  readonly rootDigest: string;
  readonly platform: Platform;
  /** Every platform that the reference has an image for. */
  readonly platforms: readonly Platform[];
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** How an image is looked for. */
export interface OpenImageOptions {
  readonly platform?: Platform | string | undefined;
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const mostConfigBytes = 4 * 1024 * 1024;

/**
 * Reads manifest and config of the image for a platform.
 *
 * @throws ANYPROC_PLATFORM_NOT_FOUND, ANYPROC_IMAGE_INVALID, ANYPROC_NOT_CACHED, ANYPROC_DIGEST_MISMATCH
 */
export async function openImage(
  source: ImageSource,
  layout: CacheLayout,
  { platform, offline, signal }: OpenImageOptions,
): Promise<Image> {
  const wanted = typeof platform === "string" ? parsePlatform(platform) : (platform ?? hostPlatform());
  const readManifest = cachedManifests(source, layout, offline ?? false);
  const { raw, rootDigest, manifest, platforms } = await resolveManifest(source.name, readManifest, wanted, signal);
  const bytes = await readConfigBytes(source, layout, manifest.config, offline ?? false, signal);
  const config = parseImageConfig(source.name, bytes);
  if (config.diffIds.length !== manifest.layers.length && !source.isPlainRootfs) {
    throw imageError(
      "ANYPROC_IMAGE_INVALID",
      `${source.name}: has ${manifest.layers.length} layers, and its config knows ${config.diffIds.length}: is it an image?`,
    );
  }
  checkPlatform(source.name, wanted, config.platform);
  return {
    name: source.name,
    digest: raw.digest,
    rootDigest,
    platform: config.platform,
    platforms: platforms.length > 0 ? platforms : [config.platform],
    manifest,
    config,
  };
}

/** An image without an index says only in its config what it is for. */
function checkPlatform(name: string, wanted: Platform, actual: Platform): void {
  if (actual.architecture === "" || platformScore(wanted, actual) !== undefined) return;
  throw imageError(
    "ANYPROC_PLATFORM_NOT_FOUND",
    `${name}: is for ${formatPlatform(actual)}, and ${formatPlatform(wanted)} is wanted: choose with platform`,
  );
}

/** Reads manifests by way of the cache, which knows each for ever, and which one a tag had the last time. */
function cachedManifests(source: ImageSource, layout: CacheLayout, offline: boolean): ImageSource["readManifest"] {
  const { cacheKey } = source;
  if (cacheKey === undefined) return (digest, signal) => source.readManifest(digest, signal);

  async function fromCache(digest: string, mediaType: string): Promise<RawManifest | undefined> {
    const bytes = await readCached(layout, digest);
    return bytes && { digest, mediaType, bytes };
  }

  return async (digest, signal) => {
    const known = digest === undefined ? await recallTag(layout, cacheKey) : { digest, mediaType: "" };
    if (known && (digest !== undefined || offline || (await isCurrent(source, known.digest, signal)))) {
      const cached = await fromCache(known.digest, known.mediaType);
      if (cached) return cached;
    }
    if (offline) throw notCached(digest === undefined ? source.name : `${source.name}: manifest ${digest}`);
    const raw = await source.readManifest(digest, signal);
    await writeCached(layout, raw.digest, raw.bytes);
    if (digest === undefined) await rememberTag(layout, cacheKey, raw.digest, raw.mediaType);
    return raw;
  };
}

/** Asks whether a tag still has its digest, which Docker Hub does not count as a pull. */
async function isCurrent(source: ImageSource, digest: string, signal?: AbortSignal): Promise<boolean> {
  const { headDigest, reference } = source as Partial<RegistrySource>;
  if (reference?.digest !== undefined) return reference.digest === digest;
  return headDigest !== undefined && (await headDigest(signal)) === digest;
}

async function readConfigBytes(
  source: ImageSource,
  layout: CacheLayout,
  descriptor: Descriptor,
  offline: boolean,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const what = `${source.name}: image config ${descriptor.digest}`;
  const region = await source.findBlob(descriptor);
  const size = Math.max(descriptor.size, region?.size ?? 0);
  if (size > mostConfigBytes) {
    throw imageError("ANYPROC_IMAGE_LIMIT", `${what}: has ${size} bytes, and ${mostConfigBytes} is the limit`);
  }
  if (region) {
    const bytes = await readRegion(region);
    checkDigest(what, bytes, descriptor.digest);
    return bytes;
  }
  const cached = await readCached(layout, descriptor.digest);
  if (cached) return cached;
  if (offline) throw notCached(what);
  const { chunks } = await source.openBlob(descriptor, 0, signal ?? new AbortController().signal);
  const bytes = await readBody(what, chunks, mostConfigBytes);
  checkDigest(what, bytes, descriptor.digest);
  await writeCached(layout, descriptor.digest, bytes);
  return bytes;
}
