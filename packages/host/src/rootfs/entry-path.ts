import { AnyprocError } from "@anyproc/core";
import { printable, type TarEntry } from "@anyproc/core/tar";

/**
 * The components of a name in an archive. A leading slash means the rootfs.
 *
 * @throws ANYPROC_UNSAFE_PATH for `..` and NUL, wherever they would lead: no archiver writes them for a tree
 */
export function componentsOf(name: string, entry: TarEntry): string[] {
  const components = name.split("/").filter((component) => component !== "" && component !== ".");
  if (components.includes("..")) throw unsafePath(entry, `${quoted(name)} climbs with ".."`);
  if (name.includes("\0")) throw unsafePath(entry, "its name holds a NUL byte");
  return components;
}

/**
 * Refuses a symlink that climbs above the rootfs. An absolute one leads to a place inside it, as seen from inside.
 *
 * @throws ANYPROC_UNSAFE_PATH
 */
export function checkSymlink(directory: readonly string[], entry: TarEntry): void {
  const target = entry.linkPath;
  if (target.includes("\0")) throw unsafePath(entry, "its target holds a NUL byte");
  if (target.startsWith("/")) return;
  let depth = directory.length;
  for (const component of target.split("/")) {
    if (component === "" || component === ".") continue;
    depth += component === ".." ? -1 : 1;
    if (depth < 0) throw unsafePath(entry, `its target ${quoted(target)} is outside`);
  }
}

export function unsafePath(entry: TarEntry, what: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `tar archive: ${quoted(entry.path)} would leave the rootfs: ${what}: do not trust this archive`,
  );
}

function quoted(name: string): string {
  return JSON.stringify(printable(name));
}
