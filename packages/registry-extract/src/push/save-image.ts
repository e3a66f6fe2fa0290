import { join, resolve } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { sizeOf, writeFileAtomically } from "../cache/files.ts";
import { type CacheLayout, cacheLayout } from "../cache/layout.ts";
import { imageError } from "../errors.ts";
import { formatReference, parseReference } from "../image/reference.ts";
import type { ImageInput } from "./build-image.ts";
import { type BuiltImages, buildImages } from "./build-images.ts";
import { dockerFiles, layoutFiles, layoutIndex } from "./saved-files.ts";
import { readLayoutIndex, writeArchive, writeDirectory } from "./write-saved.ts";

/** How an image is saved. */
export interface SaveOptions {
  /** @default `$ANYPROC_HOME/images`, or below XDG_DATA_HOME */
  readonly cacheDirectory?: string;
  readonly signal?: AbortSignal;
}

/** A saved image. */
export interface SavedImage {
  /** What it was saved as. */
  readonly target: string;
  /** Of the manifest, or of the index when there are several. */
  readonly digest: string;
}

const defaultTag = "latest";

/**
 * Makes an image of one layer out of a root filesystem, and saves it on this machine; several become an index, one a
 * platform. `oci:DIR[:TAG]` is an OCI image layout, to which the image is added; `oci-archive:FILE[:TAG]` one in an
 * archive, `docker-archive:FILE[:REFERENCE]` what `docker load` reads. The tag is `latest` where none is named.
 *
 * @example
 * await saveImage("oci:./images:tool", { rootfs: "/srv/tool", config: { cmd: ["/bin/tool"] } });
 * @throws ANYPROC_REFERENCE_INVALID, ANYPROC_INVALID_OPTION, ANYPROC_TARGET_EXISTS, ANYPROC_TARGET_UNWRITABLE,
 * ANYPROC_ROOTFS_INVALID
 */
export async function saveImage(
  target: string,
  images: ImageInput | readonly ImageInput[],
  options: SaveOptions = {},
): Promise<SavedImage> {
  const { kind, path, name } = parseTarget(target);
  const inputs: readonly ImageInput[] = Array.isArray(images) ? images : [images as ImageInput];
  if (kind === "docker-archive" && inputs.length !== 1) {
    throw imageError(
      "ANYPROC_INVALID_OPTION",
      `${target}: docker's archives hold one image, and ${inputs.length} are given`,
    );
  }
  // Before the work, and before anything is there.
  if (kind !== "oci") await checkNothingIsThere(path);
  const cache = cacheLayout(options.cacheDirectory);
  // `docker save` does not compress layers either.
  const compression = kind === "docker-archive" ? "none" : "gzip";
  const built = await buildImages(
    target,
    inputs.map((input) => ({ compression, ...input })),
    cache,
    options.signal,
  );
  try {
    await write(kind, path, name, built, cache, options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    const code = systemErrorCode(error);
    if (code === undefined || code.startsWith("ANYPROC_")) throw error;
    throw imageError("ANYPROC_TARGET_UNWRITABLE", `${path}: cannot be written: ${(error as Error).message}`, error);
  }
  return { target, digest: built.root.digest };
}

type TargetKind = "oci" | "oci-archive" | "docker-archive";

async function write(
  kind: TargetKind,
  path: string,
  name: string | undefined,
  built: BuiltImages,
  cache: CacheLayout,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (kind === "docker-archive") {
    const references = name === undefined ? [] : [formatReference(parseReference(name))];
    return writeArchive(path, dockerFiles(built, references, cache), signal);
  }
  const tag = name ?? defaultTag;
  const files = layoutFiles(built, cache);
  if (kind === "oci-archive") return writeArchive(path, [...files, layoutIndex(built.root, tag, [])], signal);
  const others = await readLayoutIndex(path);
  const index = layoutIndex(built.root, tag, others);
  // Last of all: it is what makes the rest count.
  await writeDirectory(path, files);
  await writeFileAtomically(join(path, index.path), index.content);
}

/** @throws ANYPROC_REFERENCE_INVALID */
function parseTarget(target: string) {
  const [, kind, path, name] = /^(oci|oci-archive|docker-archive):([^:]+)(?::(.+))?$/s.exec(target) ?? [];
  if (kind === undefined || path === undefined) {
    throw imageError(
      "ANYPROC_REFERENCE_INVALID",
      `${target}: is nothing to save to: write oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REFERENCE]`,
    );
  }
  if (kind === "docker-archive" && name !== undefined && parseReference(name).digest !== undefined) {
    throw imageError("ANYPROC_REFERENCE_INVALID", `${target}: an archive cannot be made for a digest: give a tag`);
  }
  return { kind: kind as TargetKind, path: resolve(path), name };
}

async function checkNothingIsThere(path: string): Promise<void> {
  // What cannot even be looked at is told when it is written.
  const size = await sizeOf(path).catch(() => undefined);
  if (size === undefined) return;
  throw imageError("ANYPROC_TARGET_EXISTS", `${path}: is there already: remove it, or choose another name`);
}
