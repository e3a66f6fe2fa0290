import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import type { ResolvedBind } from "./binds.ts";

// path_resolution(7): the kernel follows at most 40 symbolic links.
const maxLinks = 40;

/** A guest path on the host, no component of which is a symbolic link, the last one excepted when it is not followed. */
export interface HostPlace {
  readonly guest: string;
  readonly host: string;
  /** True when nothing is there yet. */
  readonly isMissing: boolean;
  /** True when the place is a symbolic link, which can be only when it is not followed. */
  readonly isLink: boolean;
}

/**
 * Resolves a guest path as the guest's kernel would: links are read in guest terms and `..` stops at the guest's root.
 * Only the last component may be missing.
 *
 * @throws an Error with the code ENOENT, ENOTDIR, ELOOP or EACCES
 */
export async function resolveGuestPath(
  rootfs: string,
  binds: readonly ResolvedBind[],
  path: string,
  { follow = true }: { readonly follow?: boolean } = {},
): Promise<HostPlace> {
  const pending = components(path);
  let guest = "/";
  let links = 0;
  for (;;) {
    const name = pending.shift();
    if (name === undefined) return { guest, host: toHost(rootfs, binds, guest), isMissing: false, isLink: false };
    if (name === "..") {
      guest = posix.dirname(guest);
      continue;
    }
    const next = posix.join(guest, name);
    const host = toHost(rootfs, binds, next);
    const isLast = pending.length === 0;
    const stats = await lstat(host).catch((error: unknown) => {
      if (isLast && systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (!stats) return { guest: next, host, isMissing: true, isLink: false };
    if (!stats.isSymbolicLink()) {
      guest = next;
    } else if (isLast && !follow) {
      return { guest: next, host, isMissing: false, isLink: true };
    } else {
      links += 1;
      if (links > maxLinks) throw systemError("ELOOP", "too many symbolic links", path);
      const target = await readlink(host);
      if (target.startsWith("/")) guest = "/";
      pending.unshift(...components(target));
    }
  }
}

/** The host's path of a guest path without links: by the longest bind above it, else below the rootfs. */
export function toHost(rootfs: string, binds: readonly ResolvedBind[], guest: string): string {
  let best: ResolvedBind | undefined;
  for (const bind of binds) {
    const covers = guest === bind.guest || guest.startsWith(`${bind.guest}/`);
    if (covers && bind.guest.length > (best?.guest.length ?? 0)) best = bind;
  }
  if (best) return posix.join(best.host, guest.slice(best.guest.length));
  return guest === "/" ? rootfs : posix.join(rootfs, guest);
}

function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** An error as node:fs makes them. */
export function systemError(code: string, message: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${message}, ${path}`), { code, path });
}
