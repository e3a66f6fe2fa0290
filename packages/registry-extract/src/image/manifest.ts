import { imageError } from "../errors.ts";
import { type Descriptor, parseDescriptor } from "./descriptor.ts";
import { parseJsonObject } from "./parse-json.ts";

/** Media types of manifests and configs: the OCI image-spec's and Docker's (image manifest version 2, schema 2). */
export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** What a registry is asked for; the order is that of preference. */
export const acceptedManifests: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
];

/** A manifest or index as it was stored, whose digest has been checked. */
export interface RawManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** One image: its config and its layers, lowest first. */
export interface ImageManifest {
  readonly kind: "manifest";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Several images, usually one a platform. */
export interface ImageIndex {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
}

const mostLayers = 1000;
const mostManifests = 10_000;

/**
 * Reads a manifest or an index; what it holds decides, not only the media type it was sent with.
 *
 * @throws ANYPROC_IMAGE_INVALID
 */
export function parseManifest(name: string, raw: RawManifest): ImageManifest | ImageIndex {
  const what = `${name}: manifest ${raw.digest}`;
  const json = parseJsonObject(what, raw.bytes);
  if (json["schemaVersion"] === 1) {
    throw imageError(
      "ANYPROC_IMAGE_INVALID",
      `${what}: is of schema 1, which registries gave up in 2023: push the image again with a current tool`,
    );
  }
  const { manifests, layers, config } = json;
  // image-spec, manifest.md: a document with both is to be refused, since readers would disagree about it.
  if (Array.isArray(manifests) === Array.isArray(layers)) {
    throw imageError("ANYPROC_IMAGE_INVALID", `${what}: has to have either layers or manifests; is it an image?`);
  }
  if (Array.isArray(manifests)) {
    checkCount(what, "manifests", manifests.length, mostManifests);
    return { kind: "index", manifests: manifests.map((entry, i) => parseDescriptor(`${what}: entry ${i}`, entry)) };
  }
  const list = layers as unknown[];
  checkCount(what, "layers", list.length, mostLayers);
  return {
    kind: "manifest",
    config: parseDescriptor(`${what}: its config`, config),
    layers: list.map((layer, i) => parseDescriptor(`${what}: layer ${i}`, layer)),
  };
}

function checkCount(what: string, kind: string, count: number, most: number): void {
  if (count > most) throw imageError("ANYPROC_IMAGE_LIMIT", `${what}: has ${count} ${kind}, and ${most} is the limit`);
}

/** True for what buildx adds to an index: attestations, and other things that are no image of a platform. */
export function isAttestation(descriptor: Descriptor): boolean {
  if (descriptor.annotations?.["vnd.docker.reference.type"] === "attestation-manifest") return true;
  return descriptor.platform?.os === "unknown" && descriptor.platform.architecture === "unknown";
}
