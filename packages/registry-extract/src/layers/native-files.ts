import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ByteString } from "@anyproc/core/tar";

/** Variable that names the addon's file, instead of the platform package; `none` does without it. */
const addonVariable = "ANYPROC_FILES_ADDON";

/** What node:fs, node:crypto and node:zlib lack, from a small addon. Paths are bytes, and the last component is never followed. */
export interface NativeFiles {
  setXattr(path: Buffer, name: Buffer, value: Buffer): void;
  /** Values by name. */
  getXattrs(path: Buffer): Record<ByteString, Buffer>;
  /** mknod(2). */
  makeNode(path: Buffer, mode: number, major: number, minor: number): void;
  /** Sets the access time too. */
  setModificationTime(path: Buffer, seconds: number, nanoseconds: number): void;
  /**
   * Makes a file with everything that belongs to it, in one call. False when it may not have that owner; the ids -1 leave
   * it to who makes it.
   */
  createFile(
    path: Buffer,
    data: Buffer,
    mode: number,
    uid: number,
    gid: number,
    seconds: number,
    nanoseconds: number,
  ): boolean;
  /** A hash for updateHash() and finishHash(); undefined for a Node.js that keeps its OpenSSL to itself. */
  createHash(algorithm: string): object | undefined;
  /** Hashes in the thread pool; the data must stay as it is, and the hash be left alone, until it has ended. */
  updateHash(hash: object, data: Buffer): Promise<void>;
  updateHashSync(hash: object, data: Buffer): void;
  finishHash(hash: object): Buffer;
  /**
   * For decompress(); undefined for a Node.js without that decoder. What wants a larger window than 2 to the power of
   * `mostWindowLog` is refused; gzip's is small.
   */
  createDecompressor(format: "gzip" | "zstd", mostWindowLog: number): object | undefined;
  /**
   * Decompresses in the thread pool; input and output must stay as they are, and the decompressor be left alone, until
   * it has ended. When the output is full there may be more to come, without further input too.
   */
  decompress(decompressor: object, input: Buffer, output: Buffer): Promise<DecompressedPiece>;
}

/** What came of one call. */
interface DecompressedPiece {
  /** Bytes of the input that were used. */
  readonly consumed: number;
  /** Bytes of the output that were written. */
  readonly produced: number;
  /** False when the data would be cut short if it ended here. */
  readonly isComplete: boolean;
}

/**
 * The addon; undefined where there is none. Everything works without it: what it would have made real goes into the
 * metadata file.
 */
export function loadNativeFiles(): NativeFiles | undefined {
  const override = process.env[addonVariable];
  if (override === "none") return undefined;
  const require = createRequire(import.meta.url);
  const name = `@anyproc/registry-extract-${process.platform}-${process.arch}`;
  try {
    const file = override || join(dirname(require.resolve(`${name}/package.json`)), "bin/anyproc-files.node");
    return require(file) as NativeFiles;
  } catch {
    return undefined;
  }
}
