import type { ByteString } from "../tar/entry.ts";

/** A path for node:fs: text where that says the same, since it is faster. */
export function hostPath(path: ByteString): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** The ByteString of an ordinary path. */
export function toByteString(path: string): ByteString {
  return Buffer.from(path, "utf8").toString("latin1");
}

/** A ByteString for messages. */
export function printable(path: ByteString): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/** The same text in memory of its own: what was cut out of a longer one, or put together, keeps its parts alive. */
export function detached(text: ByteString): ByteString {
  return Buffer.from(text, "latin1").toString("latin1");
}
