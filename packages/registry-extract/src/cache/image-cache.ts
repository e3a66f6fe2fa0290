import { readFile, rm } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import { imageError } from "../errors.ts";
import { type Descriptor, isRecord } from "../image/descriptor.ts";
import { checkDigest, digestOf, isDigest, parseDigest } from "../image/digest.ts";
import type { RetryOptions } from "../registry/retry.ts";
import type { ImageSource } from "../sources/source.ts";
import type { Blob } from "./blob.ts";
import { publishFile, sizeOf, touch, writeFileAtomically } from "./files.ts";
import { fillFile } from "./fill-file.ts";
import { createGrowth, setGrown } from "./growth.ts";
import type { CacheLayout } from "./layout.ts";
import type { Limiter } from "./limiter.ts";
import { createPartial, releasePartial, removeAbandoned, waitForOthers } from "./partial-file.ts";

/** How a blob is got. */
export interface FetchOptions {
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
  /** Holds a download back until it is its turn. */
  readonly limit: Limiter;
  /** Bytes that are there now, those from before included. */
  readonly onBytes?: (bytes: number) => void;
  /** Where the source is not asked: what is not in the cache is an error. */
  readonly offline?: boolean;
  /** Take nothing over from downloads that were broken off. */
  readonly fresh?: boolean;
}

/**
 * Gets a blob: from a file that the source has, from the cache, or from the source into the cache. It may be read while
 * it grows; it counts only once its digest has been checked and accept() been called.
 *
 * @throws ANYPROC_NOT_CACHED; what the source throws, by way of `complete`
 */
export async function fetchBlob(
  layout: CacheLayout,
  source: ImageSource,
  descriptor: Descriptor,
  options: FetchOptions,
): Promise<Blob> {
  const { digest, size } = descriptor;
  const region = await source.findBlob(descriptor);
  if (region) {
    if (region.size !== size) throw wrongSize(source, descriptor, region.size);
    const keep = async () => {};
    return {
      digest,
      ...region,
      growth: undefined,
      complete: Promise.resolve(),
      accept: keep,
      reject: keep,
      isReused: false,
    };
  }
  const cached = await cachedBlob(layout, descriptor);
  if (cached) {
    options.onBytes?.(size);
    return cached;
  }
  if (options.offline) throw notCached(`${source.name}: blob ${digest}`);
  if (!options.fresh) await waitForOthers(layout, descriptor, options.signal);
  return (await cachedBlob(layout, descriptor)) ?? download(layout, source, descriptor, options);
}

async function cachedBlob(layout: CacheLayout, { digest, size }: Descriptor): Promise<Blob | undefined> {
  const path = layout.blob(digest);
  if ((await sizeOf(path)) !== size) return undefined;
  // Before it is read: what was used just now is not pruned.
  await touch(path);
  return {
    digest,
    path,
    offset: 0,
    size,
    growth: undefined,
    complete: Promise.resolve(),
    accept: async () => {},
    reject: () => rm(path, { force: true }),
    isReused: true,
  };
}

async function download(
  layout: CacheLayout,
  source: ImageSource,
  descriptor: Descriptor,
  { retry, signal, limit, onBytes, fresh }: FetchOptions,
): Promise<Blob> {
  const partial = await createPartial(layout, descriptor, { ...(fresh !== undefined && { fresh }) });
  const growth = createGrowth();
  const onGrown = (bytes: number) => {
    setGrown(growth, bytes);
    onBytes?.(bytes);
  };
  const complete = limit(() => fillFile(partial, { source, descriptor, retry, signal, onGrown })).finally(() =>
    releasePartial(partial.path),
  );
  // Whoever waits for it gets the failure; it must not end the process when nobody has begun to wait.
  complete.catch(() => {});
  return {
    digest: descriptor.digest,
    path: partial.path,
    offset: 0,
    size: descriptor.size,
    growth,
    complete,
    isReused: partial.bytes > 0,
    async accept() {
      await complete;
      await publishFile(partial.path, layout.blob(descriptor.digest));
      await removeAbandoned(layout, descriptor);
    },
    async reject() {
      await rm(partial.path, { force: true });
      await removeAbandoned(layout, descriptor);
    },
  };
}

/** A short blob that is in the cache and right; what is damaged is removed. */
export async function readCached(layout: CacheLayout, digest: string): Promise<Buffer | undefined> {
  const path = layout.blob(digest);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  if (digestOf(bytes, parseDigest(digest).algorithm) !== digest) {
    await rm(path, { force: true });
    return undefined;
  }
  await touch(path);
  return bytes;
}

/** Puts a short blob into the cache. @throws ANYPROC_DIGEST_MISMATCH */
export async function writeCached(layout: CacheLayout, digest: string, bytes: Uint8Array): Promise<void> {
  checkDigest(layout.blob(digest), bytes, digest);
  await writeFileAtomically(layout.blob(digest), bytes);
}

/** Remembers which manifest a reference had, for use without a network. */
export async function rememberTag(layout: CacheLayout, key: string, digest: string, mediaType: string): Promise<void> {
  await writeFileAtomically(layout.tag(key), `${JSON.stringify({ reference: key, digest, mediaType })}\n`);
}

/** Which manifest a reference had. */
export async function recallTag(
  layout: CacheLayout,
  key: string,
): Promise<{ readonly digest: string; readonly mediaType: string } | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(layout.tag(key), "utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(json) || !isDigest(json["digest"]) || typeof json["mediaType"] !== "string") return undefined;
  return { digest: json["digest"], mediaType: json["mediaType"] };
}

/** The error for what would have to be fetched, and must not be. */
export function notCached(what: string): Error {
  return imageError("ANYPROC_NOT_CACHED", `${what}: is not in the cache: pull it once with a network`);
}

function wrongSize(source: ImageSource, { digest, size }: Descriptor, actual: number): Error {
  return imageError(
    "ANYPROC_DIGEST_MISMATCH",
    `${source.name}: blob ${digest} has ${actual} bytes, and its manifest promises ${size}: the image was damaged`,
  );
}
