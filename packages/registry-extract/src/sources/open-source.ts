import { mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { blockSize, parseHeader } from "@anyproc/core/tar";
import { cacheLayout } from "../cache/layout.ts";
import { ownerName } from "../cache/owner.ts";
import { imageError, reasonOf } from "../errors.ts";
import { parseReference } from "../image/reference.ts";
import { BlobReader } from "../layers/blob-reader.ts";
import { decompress, detectCompression } from "../layers/decompress.ts";
import { type ImageLimits, LimitCounter, type MemoryShares, memoryShares } from "../layers/limits.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";
import { archiveStore } from "./archive-store.ts";
import { directoryStore } from "./blob-store.ts";
import { dockerArchiveSource } from "./docker-archive-source.ts";
import { layoutSource } from "./layout-source.ts";
import { openRegistry } from "./registry-source.ts";
import { rootfsSource } from "./rootfs-source.ts";
import type { FileRegion, ImageSource } from "./source.ts";

/** How a source is opened. */
export interface SourceOptions extends RegistryOptions, ImageLimits {
  /** Where a compressed archive of an image is unpacked for as long as it is open. */
  readonly cacheDirectory?: string;
  readonly signal?: AbortSignal;
}

const localPrefix = /^(?:oci|oci-archive|docker-archive|tar|file):/;
const registryPrefix = /^(?:docker:\/\/|registry:)/;

/**
 * Opens what a reference names. `registry:REF`, `docker://REF` and everything that reads like an image's name is in a
 * registry; `oci:`, `oci-archive:`, `docker-archive:`, `tar:` and every path that begins with `/`, `./` or `../` is on
 * this machine, and what it holds is found out by looking. `:TAG` at the end of a path chooses one of several images.
 *
 * @throws ANYPROC_REFERENCE_INVALID, ANYPROC_IMAGE_NOT_FOUND, ANYPROC_IMAGE_INVALID
 */
export async function openSource(reference: string, options: SourceOptions = {}): Promise<ImageSource> {
  if (localPrefix.test(reference)) return openLocal(reference, reference.replace(localPrefix, ""), options);
  if (/^\.{0,2}\//.test(reference) || reference === ".") return openLocal(reference, reference, options);
  return openRegistry(parseReference(reference.replace(registryPrefix, "")), options, options.signal);
}

async function openLocal(reference: string, place: string, options: SourceOptions): Promise<ImageSource> {
  const found = await locate(place);
  if (!found) throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${reference}: there is no such file or directory`);
  const { path, tag } = found;
  if (found.isDirectory) return layoutSource(directoryStore(path), tag);
  const region: FileRegion = { path, offset: 0, size: found.size };
  const start = await readStart(region, memoryShares(options));
  const first = firstName(reference, start.bytes);
  if (!isImageArchive(first)) return rootfsSource(path, region);
  const store = start.isCompressed
    ? await unpacked(path, region, options)
    : await archiveStore(path, path, async () => {});
  const isLayout = (await store.find("oci-layout")) && (await store.find("index.json"));
  return isLayout ? layoutSource(store, tag) : dockerArchiveSource(store, tag);
}

/** What there is of `PATH[:TAG]`, either of which may have colons: the longest path counts. */
async function locate(place: string) {
  for (let end = place.length; end > 0; end = place.lastIndexOf(":", end - 1)) {
    const path = place.slice(0, end);
    const found = await lookAt(path);
    if (found) return { ...found, path, tag: end < place.length ? place.slice(end + 1) : undefined };
  }
  return undefined;
}

async function lookAt(path: string): Promise<{ readonly isDirectory: boolean; readonly size: number } | undefined> {
  try {
    const stats = await stat(path);
    return { isDirectory: stats.isDirectory(), size: stats.size };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${path}: cannot be read: ${reasonOf(error)}`, error);
  }
}

/** The first block of an archive, taken out of its compression. */
async function readStart(
  region: FileRegion,
  { windowLog }: MemoryShares,
): Promise<{ readonly bytes: Buffer; readonly isCompressed: boolean }> {
  const file = await open(region.path);
  const start = Buffer.alloc(blockSize);
  try {
    await file.read(start, 0, blockSize, region.offset);
  } finally {
    await file.close();
  }
  if (detectCompression(start) === "none") return { bytes: start, isCompressed: false };
  const reader = new BlobReader({ ...region, growth: undefined, digest: undefined });
  try {
    const { chunks } = await decompress(reader, { windowLog });
    for await (const chunk of chunks) return { bytes: chunk, isCompressed: true };
    return { bytes: Buffer.alloc(0), isCompressed: true };
  } finally {
    reader.close();
  }
}

/** @throws ANYPROC_ARCHIVE_INVALID for what is no tar archive */
function firstName(reference: string, start: Buffer): string {
  if (start.length < blockSize) {
    throw imageError("ANYPROC_ARCHIVE_INVALID", `${reference}: is no tar archive: it is too short`);
  }
  const block = start.subarray(0, blockSize);
  return block.every((byte) => byte === 0) ? "" : parseHeader(block).path;
}

/** What archives of images begin with; root filesystems do not have such names. */
function isImageArchive(firstEntry: string): boolean {
  return /^(?:\.\/)?(?:blobs\/?|blobs\/.*|oci-layout|index\.json|manifest\.json|repositories|[0-9a-f]{64}(?:\/.*|\.json|\.tar)?)$/.test(
    firstEntry,
  );
}

/** A compressed archive has to be unpacked once, since its parts are read out of order. */
async function unpacked(name: string, region: FileRegion, options: SourceOptions) {
  const { cacheDirectory, signal } = options;
  const { partial } = cacheLayout(cacheDirectory);
  await mkdir(partial, { recursive: true });
  const path = join(partial, `archive.${ownerName()}.tar`);
  const release = () => rm(path, { force: true });
  const reader = new BlobReader({ ...region, growth: undefined, digest: undefined });
  try {
    await writeDecompressed(reader, path, new LimitCounter(options), signal);
    return await archiveStore(name, path, release);
  } catch (error) {
    await release();
    throw error;
  } finally {
    reader.close();
  }
}

async function writeDecompressed(
  reader: BlobReader,
  path: string,
  limits: LimitCounter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { chunks } = await decompress(reader, { windowLog: limits.windowLog });
  const file = await open(path, "wx");
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      limits.addBytes(chunk.length, reader.position);
      await file.appendFile(chunk);
    }
  } finally {
    await file.close();
  }
}
