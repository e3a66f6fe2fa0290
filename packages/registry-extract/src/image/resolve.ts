import { imageError } from "../errors.ts";
import type { ImageSource } from "../sources/source.ts";
import type { Descriptor } from "./descriptor.ts";
import { type ImageIndex, type ImageManifest, isAttestation, parseManifest, type RawManifest } from "./manifest.ts";
import { formatPlatform, hostPlatform, type Platform, platformScore } from "./platform.ts";

/** An image manifest that was found, and where. */
export interface ResolvedManifest {
  /** Digest of what the reference itself names: the index, where there is one. */
  readonly rootDigest: string;
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
  /** Every platform that an index has an image for; empty without an index. */
  readonly platforms: readonly Platform[];
}

/** One image of an index. */
interface IndexedImage {
  readonly descriptor: Descriptor;
  /** Unknown when the index does not say; the image's config does then. */
  readonly platform: Platform | undefined;
}

// An index inside an index is rare, and one more level unheard of; a loop would be a hash collision.
const deepestIndex = 8;

/** Reads one manifest by its digest. */
type ReadManifest = ImageSource["readManifest"];

/**
 * Finds the image of a platform behind a reference: directly, or through an index, nested ones too. Attestations are
 * passed over.
 *
 * @throws ANYPROC_PLATFORM_NOT_FOUND, naming what there is; ANYPROC_IMAGE_INVALID; what the source throws
 */
export async function resolveManifest(
  name: string,
  readManifest: ReadManifest,
  wanted: Platform = hostPlatform(),
  signal?: AbortSignal,
): Promise<ResolvedManifest> {
  const root = await readManifest(undefined, signal);
  const parsed = parseManifest(name, root);
  if (parsed.kind === "manifest") return { rootDigest: root.digest, raw: root, manifest: parsed, platforms: [] };
  const images = await flattenIndex(name, readManifest, parsed, signal);
  const best = chooseImage(images, wanted);
  if (!best) {
    throw imageError(
      "ANYPROC_PLATFORM_NOT_FOUND",
      `${name}: there is no image for ${formatPlatform(wanted)}: there is ${describe(images)}; choose with platform`,
    );
  }
  const raw = await readManifest(best.descriptor.digest, signal);
  const manifest = parseManifest(name, raw);
  if (manifest.kind === "index") throw imageError("ANYPROC_IMAGE_INVALID", `${name}: ${raw.digest} is no image`);
  const platforms = images.map(({ platform }) => platform).filter((platform) => platform !== undefined);
  return { rootDigest: root.digest, raw, manifest, platforms };
}

/** Every image of an index, the indexes inside it included, without attestations. */
async function flattenIndex(
  name: string,
  readManifest: ReadManifest,
  index: ImageIndex,
  signal?: AbortSignal,
  depth = 1,
): Promise<IndexedImage[]> {
  const images: IndexedImage[] = [];
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor)) continue;
    if (!/index|manifest\.list/.test(descriptor.mediaType)) {
      images.push({ descriptor, platform: descriptor.platform });
      continue;
    }
    if (depth === deepestIndex) throw imageError("ANYPROC_IMAGE_INVALID", `${name}: its indexes are nested too deeply`);
    const nested = parseManifest(name, await readManifest(descriptor.digest, signal));
    if (nested.kind === "manifest") images.push({ descriptor, platform: descriptor.platform });
    else images.push(...(await flattenIndex(name, readManifest, nested, signal, depth + 1)));
  }
  return images;
}

/** The image that suits best; one without a platform counts only when it is the only one. */
function chooseImage(images: readonly IndexedImage[], wanted: Platform): IndexedImage | undefined {
  const [only] = images;
  if (only && images.length === 1 && !only.platform) return only;
  let best: { readonly image: IndexedImage; readonly score: number } | undefined;
  for (const image of images) {
    const score = image.platform && platformScore(wanted, image.platform);
    // Of equals the first one counts, as with every other reader of indexes.
    if (score !== undefined && score > (best?.score ?? -1)) best = { image, score };
  }
  return best?.image;
}

function describe(images: readonly IndexedImage[]): string {
  const names = new Set(images.map(({ platform }) => (platform ? formatPlatform(platform) : "one without a platform")));
  return [...names].join(", ") || "none at all";
}
