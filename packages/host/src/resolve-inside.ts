import { readlinkSync } from "node:fs";
import { join } from "node:path";

// Linux gives up after as many: path_resolution(7).
const symlinkLimit = 40;

/**
 * The real path of a path as seen from inside a rootfs: symlinks are followed on the way with `/` standing for the
 * rootfs, and `..` stays in it, as chroot(2) would have it. What does not exist stays as it is.
 *
 * @param lastSymlink `keep` for calls that are about the link itself, such as lstat
 */
export function resolveInside(rootfs: string, path: string, lastSymlink: "follow" | "keep" = "follow"): string {
  const pending = path.split("/").reverse();
  const resolved: string[] = [];
  let symlinks = 0;
  while (pending.length > 0) {
    const name = pending.pop();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      resolved.pop();
      continue;
    }
    const target =
      lastSymlink === "keep" && pending.every((rest) => rest === "")
        ? undefined
        : readTarget(join(rootfs, ...resolved, name));
    if (target === undefined) {
      resolved.push(name);
      continue;
    }
    symlinks += 1;
    if (symlinks > symlinkLimit) {
      throw Object.assign(new Error(`ELOOP: too many symbolic links encountered, '${path}'`), { code: "ELOOP", path });
    }
    if (target.startsWith("/")) resolved.length = 0;
    pending.push(...target.split("/").reverse());
  }
  return join(rootfs, ...resolved);
}

function readTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
