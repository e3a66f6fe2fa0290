import { chmod, lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { imageError } from "../errors.ts";

// path_resolution(7): as many as the kernel follows.
const mostLinks = 40;

/** Where a path leads. */
export type FoundPath =
  /** From the root, without a link in it. */
  | { readonly kind: "file" | "other"; readonly path: string }
  /** The first name that is not there, and where the rest would be if there are no more links. */
  | { readonly kind: "missing"; readonly path: string; readonly rest: string };

/**
 * Follows a path as if a tree were the whole file system: links in every component, absolute ones too, and never out of
 * it. Directories closed to their owner are opened.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND for links that go on for ever
 */
export async function findInRootfs(rootfs: string, path: string): Promise<FoundPath> {
  const pending = path.split("/");
  let found = "/";
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      found = posix.dirname(found);
      continue;
    }
    const next = posix.join(found, name);
    const stats = await lstat(join(rootfs, next)).catch(missing);
    if (!stats) return { kind: "missing", path: next, rest: posix.join(next, ...pending) };
    if (stats.isSymbolicLink()) {
      links += 1;
      if (links > mostLinks) {
        throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${path}: leads through more than ${mostLinks} symbolic links`);
      }
      const target = await readlink(join(rootfs, next));
      if (target.startsWith("/")) found = "/";
      pending.unshift(...target.split("/"));
      continue;
    }
    const isEnd = pending.every((rest) => rest === "" || rest === ".");
    if (!stats.isDirectory()) return { kind: isEnd && stats.isFile() ? "file" : "other", path: next };
    await chmod(join(rootfs, next), 0o700);
    found = next;
  }
  return { kind: "other", path: found };
}

function missing(error: unknown): undefined {
  if (systemErrorCode(error) !== "ENOENT") throw error;
}
