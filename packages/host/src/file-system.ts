import { createReadStream, createWriteStream } from "node:fs";
import * as files from "node:fs/promises";
import type { FileSystem } from "@anyproc/core";
import { resolveInside } from "./resolve-inside.ts";

/**
 * Files of this machine, or of a rootfs on it.
 *
 * Symlinks never lead out of the rootfs. Paths are resolved before they are used, so this holds as long as nobody
 * else rearranges the rootfs at that very moment: it keeps honest programs honest, and is no sandbox.
 */
export function createFileSystem(rootfs: string | undefined): FileSystem {
  const at = (path: string): string => (rootfs === undefined ? path : resolveInside(rootfs, path));
  const link = (path: string): string => (rootfs === undefined ? path : resolveInside(rootfs, path, "keep"));
  return {
    readFile: async (path) => files.readFile(at(path)),
    writeFile: async (path, data, options) => files.writeFile(at(path), data, options),
    readdir: async (path) => files.readdir(at(path)),
    stat: async (path) => files.stat(at(path)),
    lstat: async (path) => files.lstat(link(path)),
    mkdir: async (path, options) => void (await files.mkdir(at(path), options)),
    rm: async (path, options) => files.rm(link(path), options),
    rename: async (from, to) => files.rename(link(from), link(to)),
    symlink: async (target, path) => files.symlink(target, link(path)),
    readlink: async (path) => files.readlink(link(path)),
    chmod: async (path, mode) => files.chmod(at(path), mode),
    createReadStream: (path) => createReadStream(at(path)),
    createWriteStream: (path, options) => createWriteStream(at(path), options),
  };
}
