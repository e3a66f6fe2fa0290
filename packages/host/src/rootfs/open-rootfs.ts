import { mkdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import {
  AnyprocError,
  type Environment,
  type Rootfs,
  type RootfsExport,
  type RootfsOptions,
  type RootfsReport,
} from "@anyproc/core";
import { createHost } from "../create-host.ts";
import type { HostOptions } from "../options.ts";
import { exportTar } from "./export-tar.ts";

/** Options of openRootfs(). */
export interface OpenRootfsOptions {
  /** Make the directory, and its parents, when it is missing. @default false */
  readonly create?: boolean;
}

/** A root filesystem in a directory of this machine. */
export interface HostRootfs extends Rootfs {
  /** Absolute path. */
  readonly directory: string;
  /**
   * Unpacks a tar stream into the directory, over what is there: ustar, pax, GNU and V7 formats, sparse files too.
   *
   * Nothing is written outside, whatever the archive holds. What cannot be kept is in the report. After a failure the
   * entries up to then are there.
   *
   * @throws ANYPROC_UNSAFE_PATH, ANYPROC_ARCHIVE_INVALID; the AbortSignal's reason
   */
  importTar(tar: Readable, options?: RootfsOptions): Promise<RootfsReport>;
  /**
   * Packs the directory in pax format; the order of entries is that of their names.
   *
   * @throws ANYPROC_ROOTFS_INVALID, as an error of the stream and of the report, when a file shrinks meanwhile
   */
  exportTar(options?: RootfsOptions): RootfsExport;
  /** Programs with this rootfs as their working directory's root, or as their root with `chroot`. */
  environment(options?: Omit<HostOptions, "rootfs">): Environment;
}

/**
 * A directory as a root filesystem.
 *
 * @throws ANYPROC_ROOTFS_NOT_FOUND when there is no such directory
 * @example
 * const rootfs = openRootfs("/srv/debian", { create: true });
 * const { losses } = await rootfs.importTar(createReadStream("debian.tar"));
 */
export function openRootfs(path: string, options: OpenRootfsOptions = {}): HostRootfs {
  const directory = resolve(path);
  if (options.create) mkdirSync(directory, { recursive: true });
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AnyprocError(
      "ANYPROC_ROOTFS_NOT_FOUND",
      `${directory}: no such directory: create it, or pass { create: true }`,
    );
  }
  const rootfs: HostRootfs = {
    name: directory,
    directory,
    // Who only runs programs need not load what unpacks archives.
    importTar: async (tar, importOptions = {}) => {
      // A stream that fails while that loads is no uncaught exception: reading it tells of the failure again.
      tar.on("error", () => {});
      const { importTar } = await import("./import-tar.ts");
      return importTar(directory, tar, importOptions);
    },
    exportTar: (exportOptions = {}) => exportTar(directory, exportOptions),
    copyTo: async (other, copyOptions = {}) => {
      const { copyTo } = await import("./copy-to.ts");
      return copyTo(rootfs, other, copyOptions);
    },
    environment: (hostOptions = {}) => createHost({ ...hostOptions, rootfs: directory }),
  };
  return rootfs;
}
