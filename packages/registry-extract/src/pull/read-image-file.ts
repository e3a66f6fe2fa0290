import { lstat, mkdtemp, readFile, readlink, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { removeTree } from "../cache/remove-tree.ts";
import { imageError } from "../errors.ts";
import type { ImageOptions } from "./options.ts";
import { pullImage } from "./pull-image.ts";

// path_resolution(7): as many as the kernel follows.
const mostLinks = 40;

/**
 * Reads one file of an image, through symbolic links of its last name; layers come from the cache where they are there.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND when the image has no such file, and as pullImage()
 */
export async function readImageFile(reference: string, path: string, options: ImageOptions = {}): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-file-"));
  try {
    let wanted = posix.resolve("/", path);
    for (let links = 0; links < mostLinks; links += 1) {
      const root = join(directory, String(links));
      const include = [wanted.replaceAll(/[*?[\]]/g, "?")];
      await pullImage(reference, root, { ...options, include });
      const file = join(root, wanted);
      const stats = await lstat(file).catch(() => undefined);
      if (!stats) break;
      if (!stats.isSymbolicLink()) {
        if (!(await stat(file)).isFile()) break;
        return await readFile(file);
      }
      wanted = posix.resolve(posix.dirname(wanted), await readlink(file));
    }
    throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${reference}: has no file ${path}`);
  } finally {
    await removeTree(directory);
  }
}
