import { closeSync, openSync, writeSync } from "node:fs";
import { AnyprocError, formatRootfsMetadata, isAnyprocError, systemErrorCode } from "@anyproc/core";
import {
  type ByteString,
  type EntrySink,
  printable,
  type TarEntry,
  TarReader,
  toByteString,
  type UnknownEntry,
} from "@anyproc/core/tar";
import { imageError, reasonOf } from "../errors.ts";
import { digestMismatch } from "../image/digest.ts";
import type { ApplyJob, ApplyResult, LayerInput } from "./apply-job.ts";
import { AttributeWriter } from "./attributes.ts";
import { BlobReader } from "./blob-reader.ts";
import { decompress } from "./decompress.ts";
import { createHasher } from "./hasher.ts";
import { LayerApplier } from "./layer-applier.ts";
import { LimitCounter } from "./limits.ts";
import { findInLower, type LowerFile } from "./lower-layers.ts";
import { loadNativeFiles, type NativeFiles } from "./native-files.ts";
import { createPathFilter } from "./path-filter.ts";
import { createWhiteoutWriter, findWhiteoutForm, type WhiteoutForm } from "./whiteout-writer.ts";

/** Hears how far a job is. */
export interface ApplyListener {
  onProgress(layer: number, compressedBytes: number, entries: number): void;
  onVerified(layer: number): void;
}

/** A layer's blob is not what its digest promises. */
export class DamagedLayerError extends AnyprocError {
  readonly layer: number;

  constructor(layer: number, message: string) {
    super("ANYPROC_DIGEST_MISMATCH", message);
    this.layer = layer;
  }
}

/**
 * Applies layers to an empty directory, and checks the digest of each, compressed and uncompressed. It uses synchronous
 * calls: it is to run in a thread of its own.
 *
 * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH, ANYPROC_IMAGE_LIMIT, ANYPROC_DIGEST_MISMATCH,
 * ANYPROC_TARGET_UNWRITABLE, ANYPROC_LAYER_NEEDS_LOWER
 */
export async function runApplyJob(job: ApplyJob, listener: ApplyListener): Promise<ApplyResult> {
  const native = loadNativeFiles();
  const limits = new LimitCounter(job.limits);
  const attributes = new AttributeWriter({ privileged: job.privileged, native, memory: limits.memory });
  const applier = new LayerApplier({
    root: toByteString(job.root),
    attributes,
    limits,
    filter: createPathFilter(job.filter),
    stripComponents: job.filter.stripComponents,
    linkTargets: new Set(job.linkTargets),
    ...(job.stacked && { findInLower: (names) => lookBelow(job.stacked?.lowers, names, native) }),
  });
  const form: WhiteoutForm = job.stacked ? findWhiteoutForm(applier.tree, native, job.privileged) : "names";
  const whiteouts = job.stacked && createWhiteoutWriter(applier.tree, form, native, job.privileged);
  const diffIds: string[] = [];
  try {
    for (const [index, layer] of job.layers.entries()) {
      applier.beginLayer({ isLowest: index === 0, ...(whiteouts && { whiteouts }) });
      diffIds.push(await applyLayer({ index, layer, applier, limits, listener, native }));
      listener.onVerified(index);
    }
    applier.finish();
  } finally {
    applier.abandon();
  }
  return {
    entries: limits.entries,
    bytes: limits.bytes,
    diffIds,
    missingTargets: [...applier.missingTargets],
    whiteouts: form,
    hasMetadata: writeMetadata(job.metadataPath, attributes),
  };
}

/** @throws ANYPROC_LAYER_NEEDS_LOWER when the lower layers have not been named */
function lookBelow(
  lowers: readonly string[] | undefined,
  names: readonly ByteString[],
  native: NativeFiles | undefined,
): LowerFile | undefined {
  if (lowers) return findInLower(lowers, names, native);
  throw imageError("ANYPROC_LAYER_NEEDS_LOWER", "a hard link leads into a lower layer");
}

/** One layer that is being applied. */
interface LayerJob {
  readonly index: number;
  readonly layer: LayerInput;
  readonly applier: LayerApplier;
  readonly limits: LimitCounter;
  readonly listener: ApplyListener;
  readonly native: NativeFiles | undefined;
}

/** Returns the digest of the uncompressed layer. */
async function applyLayer({ index, layer, applier, limits, listener, native }: LayerJob): Promise<string> {
  const name = `layer ${layer.digest ?? layer.path}`;
  const reader = new BlobReader(layer, native);
  const hasher = createHasher("sha256", native);
  const tar = new TarReader((entry) => applyEntry(entry, applier));
  try {
    let isCompressed = true;
    try {
      const { compression, chunks } = await decompress(reader, { native, windowLog: limits.windowLog });
      isCompressed = compression !== "none" || !layer.digest?.startsWith("sha256:");
      for await (const chunk of chunks) {
        limits.addBytes(chunk.length, reader.position);
        const hashed = isCompressed ? hasher.update(chunk) : undefined;
        try {
          tar.write(chunk);
        } finally {
          await hashed;
        }
        listener.onProgress(index, reader.position, limits.entries);
      }
      tar.end();
    } catch (error) {
      // What does not make sense is most often not what was promised: that is the better thing to say.
      if (isAnyprocError(error, "ANYPROC_ARCHIVE_INVALID")) await checkBlob(index, name, layer, reader);
      throw named(name, error);
    }
    const digest = await checkBlob(index, name, layer, reader);
    const diffId = isCompressed ? hasher.digest() : digest;
    if (layer.diffId !== undefined && layer.diffId !== diffId) {
      throw digestMismatch(`${name}, uncompressed`, layer.diffId, diffId);
    }
    listener.onProgress(index, layer.size, limits.entries);
    return diffId;
  } finally {
    reader.close();
  }
}

/** Returns the digest of the blob, which is the one that was promised. */
async function checkBlob(index: number, name: string, layer: LayerInput, reader: BlobReader): Promise<string> {
  const actual = await reader.finish();
  if (layer.digest !== undefined && actual !== layer.digest) {
    throw new DamagedLayerError(index, digestMismatch(name, layer.digest, actual).message);
  }
  return actual;
}

function applyEntry(entry: TarEntry | UnknownEntry, applier: LayerApplier): EntrySink | undefined {
  if (entry.type === "unknown") {
    throw imageError(
      "ANYPROC_ARCHIVE_INVALID",
      `${JSON.stringify(printable(entry.path))}: is of a type that layers do not have (${JSON.stringify(entry.typeFlag)})`,
    );
  }
  try {
    const sink = applier.apply(entry);
    return (
      sink && {
        write: (chunk, position) => explained(entry, () => sink.write(chunk, position)),
        end: () => explained(entry, () => sink.end()),
      }
    );
  } catch (error) {
    throw explain(entry, error);
  }
}

function explained(entry: TarEntry, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw explain(entry, error);
  }
}

/** A failed system call, with the entry it was for. */
function explain(entry: TarEntry, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === undefined || code.startsWith("ANYPROC_") || !/^E[A-Z0-9]+$/.test(code)) return error;
  const remedy = code === "ENOSPC" || code === "EDQUOT" ? ": make room, or unpack elsewhere" : "";
  const message = `the entry ${JSON.stringify(printable(entry.path))} cannot be written: ${reasonOf(error)}${remedy}`;
  return imageError("ANYPROC_TARGET_UNWRITABLE", message, error);
}

/** Says which layer it was. */
function named(name: string, error: unknown): unknown {
  if (!isAnyprocError(error) || error instanceof DamagedLayerError) return error;
  return new AnyprocError(error.code, `${name}: ${error.message}`, { cause: error.cause });
}

function writeMetadata(path: string, attributes: AttributeWriter): boolean {
  const metadata = attributes.metadata();
  if (!metadata) return false;
  const descriptor = openSync(path, "w", 0o600);
  try {
    let waiting = "";
    for (const line of formatRootfsMetadata(metadata)) {
      waiting += line;
      if (waiting.length < 64 * 1024) continue;
      writeSync(descriptor, waiting);
      waiting = "";
    }
    writeSync(descriptor, waiting);
  } finally {
    closeSync(descriptor);
  }
  return true;
}
