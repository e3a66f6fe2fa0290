import type { Readable } from "node:stream";
import type { Environment } from "./environment.ts";

/** One thing that could not be kept when a root filesystem was moved. */
export interface RootfsLoss {
  /** Path inside the rootfs, without a leading slash. */
  readonly path: string;
  readonly what:
    | "owner"
    | "xattr"
    | "device"
    | "hard link"
    | "mode"
    | "time"
    | "socket"
    | "file type"
    | "content"
    | "config";
  /** One sentence: what happened instead, and what would keep it. */
  readonly reason: string;
}

/** What an import, export or copy did. */
export interface RootfsReport {
  readonly entries: number;
  /** File contents, in bytes. */
  readonly bytes: number;
  /** At most 1000, and only the first of those that nearly every file has, such as owners; `lossCount` counts all. */
  readonly losses: readonly RootfsLoss[];
  readonly lossCount: number;
}

/** A tar stream, and what was lost on the way once it has been read to its end. */
export interface RootfsExport {
  readonly tar: Readable;
  readonly report: Promise<RootfsReport>;
}

export interface RootfsOptions {
  readonly signal?: AbortSignal;
}

/** A root filesystem, wherever it is. Everything streams; nothing holds an image in memory. */
export interface Rootfs {
  /** Name for messages: a directory, an image, a remote path. */
  readonly name: string;
  /** Unpacks a tar stream (POSIX pax or ustar, GNU long names) into this rootfs. */
  importTar(tar: Readable, options?: RootfsOptions): Promise<RootfsReport>;
  /** Packs this rootfs. */
  exportTar(options?: RootfsOptions): RootfsExport;
  /** Copies this rootfs into another one, of any kind. */
  copyTo(other: Rootfs, options?: RootfsOptions): Promise<RootfsReport>;
  /** An environment that runs programs in this rootfs. */
  environment(): Environment | Promise<Environment>;
}
