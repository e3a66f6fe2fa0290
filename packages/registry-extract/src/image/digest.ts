import { createHash, type Hash } from "node:crypto";
import { imageError } from "../errors.ts";

// OCI image-spec, descriptor.md: sha256 is required, sha512 optional.
const lengths: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/** A content digest, taken apart. */
export interface Digest {
  readonly algorithm: string;
  readonly hex: string;
}

/**
 * Reads `sha256:HEX` or `sha512:HEX`.
 *
 * @throws ANYPROC_REFERENCE_INVALID
 */
export function parseDigest(text: string): Digest {
  const separator = text.indexOf(":");
  const algorithm = text.slice(0, separator);
  const hex = text.slice(separator + 1);
  const length = Object.hasOwn(lengths, algorithm) ? lengths[algorithm] : undefined;
  if (separator < 0 || length === undefined || hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw imageError(
      "ANYPROC_REFERENCE_INVALID",
      `${JSON.stringify(text)} is not a digest: write sha256: and 64 lower-case hexadecimal digits`,
    );
  }
  return { algorithm, hex };
}

/** True for text that parseDigest() accepts. */
export function isDigest(text: unknown): text is string {
  if (typeof text !== "string") return false;
  try {
    parseDigest(text);
    return true;
  } catch {
    return false;
  }
}

/** A hash that can check a digest. */
export function hashFor(digest: string): Hash {
  return createHash(parseDigest(digest).algorithm);
}

/** Digest of bytes that are at hand. */
export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/**
 * Checks bytes against the digest that names them.
 *
 * @throws ANYPROC_DIGEST_MISMATCH
 */
export function checkDigest(what: string, bytes: Uint8Array, digest: string): void {
  const actual = digestOf(bytes, parseDigest(digest).algorithm);
  if (actual !== digest) throw digestMismatch(what, digest, actual);
}

/** The error for bytes that are not what their name promises. */
export function digestMismatch(what: string, expected: string, actual: string): Error {
  return imageError(
    "ANYPROC_DIGEST_MISMATCH",
    `${what}: the content is ${actual}, and ${expected} was promised: nothing of it is used; ` +
      "if it happens again, the registry or a proxy on the way alters data",
  );
}
