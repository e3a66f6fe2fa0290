import type { ByteString } from "@anyproc/core/tar";

/** A path for node:fs: text where that says the same, since it is faster. */
export function hostPath(path: ByteString): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}
