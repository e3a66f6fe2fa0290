import type { CacheLayout } from "../cache/layout.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { parseDigest } from "../image/digest.ts";
import { type BuiltImages, formatIndex } from "./build-images.ts";

/** A file of a layout or an archive. */
export interface SavedFile {
  readonly path: string;
  /** What is in it, or the file that has it. */
  readonly content: Buffer | { readonly path: string; readonly size: number };
}

// image-spec, annotations.md.
const nameAnnotation = "org.opencontainers.image.ref.name";

/** What an OCI image layout has besides its index: images, and what says that it is one (image-spec, image-layout.md). */
export function layoutFiles(built: BuiltImages, cache: CacheLayout): SavedFile[] {
  const blobs = new Map(built.images.flatMap(({ blobs }) => blobs).map((blob) => [blob.digest, blob]));
  return [
    { path: "oci-layout", content: Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" })) },
    ...[...blobs.values()].map(({ digest, size }) => ({
      path: blobPath(digest),
      content: { path: cache.blob(digest), size },
    })),
    ...built.manifests.map(({ descriptor, bytes }) => ({ path: blobPath(descriptor.digest), content: bytes })),
  ];
}

/** The index of a layout: what it had, but for the image that had this name. */
export function layoutIndex(
  root: Descriptor,
  tag: string,
  others: readonly unknown[],
): SavedFile & { readonly content: Buffer } {
  const kept = others.filter((other) => (other as Descriptor).annotations?.[nameAnnotation] !== tag);
  const manifests = [...kept, { ...root, annotations: { [nameAnnotation]: tag } }];
  return { path: "index.json", content: formatIndex(manifests) };
}

/** An archive as `docker load` reads it (moby, image/spec/v1.2.md). */
export function dockerFiles(built: BuiltImages, references: readonly string[], cache: CacheLayout): SavedFile[] {
  const images = built.images.map(({ blobs: [config, ...layers] }) => ({
    Config: `${hexOf(config as Descriptor)}.json`,
    RepoTags: references,
    Layers: layers.map((layer) => `${hexOf(layer)}.tar`),
  }));
  const blobs = built.images.flatMap(({ blobs: [config, ...layers] }) => [
    { path: `${hexOf(config as Descriptor)}.json`, blob: config as Descriptor },
    ...layers.map((layer) => ({ path: `${hexOf(layer)}.tar`, blob: layer })),
  ]);
  return [
    { path: "manifest.json", content: Buffer.from(JSON.stringify(images)) },
    ...blobs.map(({ path, blob }) => ({ path, content: { path: cache.blob(blob.digest), size: blob.size } })),
  ];
}

function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

function hexOf({ digest }: Descriptor): string {
  return parseDigest(digest).hex;
}
