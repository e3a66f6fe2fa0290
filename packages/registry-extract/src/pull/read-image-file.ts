import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { removeTree } from "../cache/remove-tree.ts";
import { imageError } from "../errors.ts";
import { findInRootfs } from "./find-in-rootfs.ts";
import type { ImageOptions } from "./options.ts";
import { pullPaths } from "./pull-image.ts";

/**
 * Reads one file of an image, through symbolic links wherever they are; layers come from the cache where they are there.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND when the image has no such file, and as pullImage()
 */
export async function readImageFile(reference: string, path: string, options: ImageOptions = {}): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-file-"));
  const wanted = new Set(withParents(path));
  try {
    for (let round = 0; ; round += 1) {
      const rootfs = join(directory, String(round));
      await pullPaths(reference, rootfs, [...wanted], options);
      const found = await findInRootfs(rootfs, path);
      if (found.kind === "file") {
        const file = join(rootfs, found.path);
        await chmod(file, 0o600);
        return await readFile(file);
      }
      // A link led to what was left out so far; each round brings one more, and their number has an end.
      const paths = found.kind === "missing" ? [found.path, found.rest] : [];
      const left = paths.flatMap(withParents).filter((name) => !wanted.has(name));
      if (left.length === 0) {
        throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${reference}: has no file ${path}`);
      }
      for (const name of left) wanted.add(name);
    }
  } finally {
    await removeTree(directory);
  }
}

/** A path and every directory on the way to it, without the root. */
function withParents(path: string): string[] {
  const names = posix.join("/", path).split("/").filter(Boolean);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}
