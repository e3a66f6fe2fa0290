import { imageError } from "../errors.ts";
import { isDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** A pointer to content, as manifests hold them (OCI image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Other places to fetch the content from. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Only in an index. */
  readonly platform?: Platform;
}

/**
 * Reads a descriptor out of parsed JSON.
 *
 * @throws ANYPROC_IMAGE_INVALID
 */
export function parseDescriptor(what: string, value: unknown): Descriptor {
  if (!isRecord(value)) throw invalid(what, "is not an object");
  const { mediaType, digest, size, urls, annotations, platform } = value;
  if (!isDigest(digest)) throw invalid(what, `has no usable digest (${JSON.stringify(digest)})`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(what, `has no usable size (${JSON.stringify(size)})`);
  }
  return {
    mediaType: typeof mediaType === "string" ? mediaType : "",
    digest,
    size,
    ...(Array.isArray(urls) && { urls: urls.filter((url) => typeof url === "string") }),
    ...(isRecord(annotations) && { annotations: textValues(annotations) }),
    ...(isRecord(platform) && { platform: parsePlatformObject(platform) }),
  };
}

function parsePlatformObject({ os, architecture, variant }: Record<string, unknown>): Platform {
  return {
    os: typeof os === "string" ? os : "",
    architecture: typeof architecture === "string" ? architecture : "",
    ...(typeof variant === "string" && variant !== "" && { variant }),
  };
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The entries of an object whose values are text. */
export function textValues(record: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function invalid(what: string, reason: string): Error {
  return imageError("ANYPROC_IMAGE_INVALID", `${what} ${reason}: the image was built or stored wrongly`);
}
