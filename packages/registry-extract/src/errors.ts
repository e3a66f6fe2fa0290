import { AnyprocError } from "@anyproc/core";

/** The codes that this package adds to core's; the README's table says what to do about each. */
export type ImageErrorCode =
  | "ANYPROC_REFERENCE_INVALID"
  | "ANYPROC_IMAGE_NOT_FOUND"
  | "ANYPROC_IMAGE_INVALID"
  | "ANYPROC_PLATFORM_NOT_FOUND"
  | "ANYPROC_REGISTRY_UNAUTHORIZED"
  | "ANYPROC_REGISTRY_RATE_LIMITED"
  | "ANYPROC_REGISTRY_UNREACHABLE"
  | "ANYPROC_REGISTRY_REFUSED"
  | "ANYPROC_CREDENTIALS_UNREADABLE"
  | "ANYPROC_DIGEST_MISMATCH"
  | "ANYPROC_IMAGE_LIMIT"
  | "ANYPROC_NOT_CACHED"
  | "ANYPROC_TARGET_EXISTS"
  | "ANYPROC_TARGET_UNWRITABLE"
  | "ANYPROC_LAYER_NEEDS_LOWER";

/** The codes of core's that this package raises. */
type SharedErrorCode = "ANYPROC_ARCHIVE_INVALID" | "ANYPROC_UNSAFE_PATH" | "ANYPROC_INVALID_OPTION";

/** An error with one of this package's codes. */
export function imageError(code: ImageErrorCode | SharedErrorCode, message: string, cause?: unknown): AnyprocError {
  return new AnyprocError(code, message, cause === undefined ? undefined : { cause });
}

/** What an unknown error says, for the end of a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
