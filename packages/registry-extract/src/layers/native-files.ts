import type { ByteString } from "../tar/entry.ts";

/** What node:fs lacks, from a small addon. Paths are bytes; the last component is never followed. */
export interface NativeFiles {
  setXattr(path: Buffer, name: Buffer, value: Buffer): void;
  /** Values by name. */
  getXattrs(path: Buffer): Record<ByteString, Buffer>;
  makeNode(path: Buffer, mode: number, major: number, minor: number): void;
  setModificationTime(path: Buffer, seconds: number, nanoseconds: number): void;
}

export function loadNativeFiles(): NativeFiles | undefined {
  return undefined;
}
