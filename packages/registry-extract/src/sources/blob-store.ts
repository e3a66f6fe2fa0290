import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { imageError } from "../errors.ts";
import type { FileRegion } from "./source.ts";

/** Files of an image that is on this machine: in a directory, or in an archive. */
export interface BlobStore {
  /** For messages. */
  readonly name: string;
  /** Where a file lies; undefined when there is none. */
  find(path: string): Promise<FileRegion | undefined>;
  close(): Promise<void>;
}

const mostBytes = 4 * 1024 * 1024;

/** The files below a directory. */
export function directoryStore(directory: string): BlobStore {
  return {
    name: directory,
    async find(path) {
      const file = join(directory, path);
      try {
        const stats = await stat(file);
        return stats.isFile() ? { path: file, offset: 0, size: stats.size } : undefined;
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw error;
      }
    },
    close: async () => {},
  };
}

/**
 * Reads a short file.
 *
 * @throws ANYPROC_IMAGE_INVALID when it is missing, ANYPROC_IMAGE_LIMIT when it is not short
 */
export async function readShortFile(store: BlobStore, path: string): Promise<Buffer> {
  const region = await store.find(path);
  if (!region) throw imageError("ANYPROC_IMAGE_INVALID", `${store.name}: has no ${path}: the image is not complete`);
  if (region.size > mostBytes) {
    throw imageError(
      "ANYPROC_IMAGE_LIMIT",
      `${store.name}: ${path} has ${region.size} bytes, and ${mostBytes} is the limit`,
    );
  }
  return readRegion(region);
}

/** Reads a piece of a file. */
export async function readRegion({ path, offset, size }: FileRegion): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
