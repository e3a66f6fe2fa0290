import { realpath, stat } from "node:fs/promises";
import { posix } from "node:path";
import { AnyprocError, type Bind } from "@anyproc/core";
import { resolveGuestPath } from "./guest-path.ts";

/** A bind with everything decided: canonical host path, and a guest path that follows the rootfs's own links. */
export interface ResolvedBind {
  readonly host: string;
  readonly guest: string;
  readonly readOnly: boolean;
  readonly noFollow: boolean;
}

/** The default binds, as far as this machine has them. */
export const usualBinds: readonly Bind[] = ["/dev", "/proc", "/sys"].map((host) => ({ host, optional: true }));

/**
 * Reads `HOST[:GUEST[:FLAGS]]`, where the flags are `ro` or `rw` and `optional`, with commas between them. A `!` after
 * GUEST means that a link there is not followed, as with proot(1).
 *
 * @throws ANYPROC_INVALID_OPTION
 */
export function parseBind(text: string): Bind {
  const [host = "", place = "", flags, ...rest] = text.split(":");
  const noFollow = place.endsWith("!");
  const guest = noFollow ? place.slice(0, -1) : place;
  const given = flags?.split(",") ?? [];
  const isKnown = given.every((flag) => flag === "ro" || flag === "rw" || flag === "optional");
  if (host === "" || rest.length > 0 || !isKnown || place === "!") {
    throw invalid(
      `bind ${JSON.stringify(text)}: write HOST[:GUEST[!][:ro][,optional]]; a path with a colon needs the object form`,
    );
  }
  return {
    host,
    ...(guest !== "" && { guest }),
    readOnly: given.includes("ro"),
    ...(noFollow && { noFollow }),
    ...(given.includes("optional") && { optional: true }),
  };
}

/** Binds as objects. @throws ANYPROC_INVALID_OPTION */
export function toBinds(binds: readonly (Bind | string)[]): Bind[] {
  return binds.map((bind) => (typeof bind === "string" ? parseBind(bind) : bind));
}

/**
 * The binds of a guest, checked. Those that change nothing are left out: the host's own path over itself.
 *
 * @throws ANYPROC_INVALID_OPTION for a path that is not absolute, a guest path `/`, or a host path that is missing
 */
export async function resolveBinds(rootfs: string, binds: readonly Bind[]): Promise<ResolvedBind[]> {
  const resolved = await Promise.all(binds.map((bind) => resolveBind(rootfs, bind)));
  // Of two binds at one guest path the later one counts, as with mount(8).
  const byGuest = new Map(resolved.filter((bind) => bind !== undefined).map((bind) => [bind.guest, bind]));
  return [...byGuest.values()].filter((bind) => rootfs !== "/" || bind.host !== bind.guest || bind.readOnly);
}

async function resolveBind(rootfs: string, bind: Bind): Promise<ResolvedBind | undefined> {
  const guest = posix.resolve("/", bind.guest ?? bind.host);
  if (!bind.host.startsWith("/") || !(bind.guest ?? bind.host).startsWith("/")) {
    throw invalid(`bind ${bind.host}: both sides of a bind are absolute paths`);
  }
  if (guest === "/") throw invalid(`bind ${bind.host}: nothing can be bound over the guest's /: use it as the rootfs`);
  const isThere = await stat(bind.host).catch(() => undefined);
  if (!isThere) {
    if (bind.optional) return undefined;
    throw invalid(
      `bind ${bind.host}: there is nothing at that path of the host: create it, or make it optional (${bind.host}:${guest}:optional)`,
    );
  }
  const { readOnly = false, noFollow = false } = bind;
  return { host: await realpath(bind.host), guest: await placeIn(rootfs, guest, !noFollow), readOnly, noFollow };
}

/** Where a guest path leads by the rootfs's own links, as far as it exists. A link to nothing is a place itself. */
async function placeIn(rootfs: string, guest: string, follow = true): Promise<string> {
  const place = await resolveGuestPath(rootfs, [], guest, { follow }).catch(() => undefined);
  if (place && !place.isMissing) return place.guest;
  return posix.join(await placeIn(rootfs, posix.dirname(guest)), posix.basename(guest));
}

function invalid(message: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", message);
}
