import type { ByteString } from "@anyproc/core/tar";

/** A path for node:fs: text where that says the same, since it is faster. */
export function hostPath(path: ByteString): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** The same text in memory of its own: what was cut out of a longer one, or put together, keeps its parts alive. */
export function detached(text: ByteString): ByteString {
  return Buffer.from(text, "latin1").toString("latin1");
}
