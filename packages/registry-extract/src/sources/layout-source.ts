import { imageError } from "../errors.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { checkDigest, digestOf, parseDigest } from "../image/digest.ts";
import { parseManifest, type RawManifest } from "../image/manifest.ts";
import { type BlobStore, readShortFile } from "./blob-store.ts";
import type { ImageSource } from "./source.ts";

// image-spec, annotations.md; the other one is containerd's, which writes the full reference.
const nameAnnotations = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

/**
 * An OCI image layout (image-spec, image-layout.md): a directory or an archive.
 *
 * @param tag which of several images; undefined where there is only one
 */
export function layoutSource(store: BlobStore, tag: string | undefined): ImageSource {
  const name = tag === undefined ? store.name : `${store.name}:${tag}`;

  async function readRoot(): Promise<RawManifest> {
    const bytes = await readShortFile(store, "index.json");
    const raw = { mediaType: "", digest: digestOf(bytes), bytes };
    const index = parseManifest(name, raw);
    if (index.kind !== "index") throw imageError("ANYPROC_IMAGE_INVALID", `${name}: its index.json is no index`);
    const chosen = chooseNamed(name, index.manifests, tag);
    // Nothing has a name: the layout is one image, for one platform or several.
    return chosen ? readBlobManifest(chosen.digest, chosen.mediaType) : raw;
  }

  async function readBlobManifest(digest: string, mediaType: string): Promise<RawManifest> {
    const bytes = await readShortFile(store, blobPath(digest));
    checkDigest(`${name}: manifest ${digest}`, bytes, digest);
    return { mediaType, digest, bytes };
  }

  return {
    name,
    readManifest: (digest) => (digest === undefined ? readRoot() : readBlobManifest(digest, "")),
    findBlob: (descriptor) => store.find(blobPath(descriptor.digest)),
    openBlob: async ({ digest }) => {
      throw imageError("ANYPROC_IMAGE_INVALID", `${name}: has no blob ${digest}: the image is not complete`);
    },
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

function chooseNamed(name: string, manifests: readonly Descriptor[], tag: string | undefined): Descriptor | undefined {
  if (tag === undefined) {
    const names = new Set(manifests.flatMap(namesOf));
    if (manifests.length === 1) return manifests[0];
    if (names.size <= 1) return undefined;
    throw imageError(
      "ANYPROC_IMAGE_NOT_FOUND",
      `${name}: holds several images: ${[...names].join(", ")}: choose one, as in oci:DIR:TAG`,
    );
  }
  const found = manifests.find((manifest) => {
    return manifest.digest === tag || namesOf(manifest).some((known) => known === tag || known.endsWith(`:${tag}`));
  });
  if (found) return found;
  const known = manifests.flatMap(namesOf).join(", ") || "none that has a name";
  throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${name}: there is no such image: there is ${known}`);
}

function namesOf({ annotations }: Descriptor): string[] {
  return nameAnnotations.map((key) => annotations?.[key]).filter((value) => value !== undefined);
}
