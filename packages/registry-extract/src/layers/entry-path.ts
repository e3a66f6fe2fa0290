import type { ByteString } from "@anyproc/core/tar";
import { imageError } from "../errors.ts";

/** What the name of an entry says, beyond the place. */
export type EntryName =
  | { readonly kind: "plain"; readonly names: readonly ByteString[] }
  /** Hides what lower layers have at this place. */
  | { readonly kind: "whiteout"; readonly names: readonly ByteString[] }
  /** Hides everything that lower layers have in this directory. */
  | { readonly kind: "opaque"; readonly names: readonly ByteString[] }
  /** Bookkeeping of AUFS, which is no part of the image. */
  | { readonly kind: "ignored" };

// OCI image-spec, layer.md, "Whiteouts".
const whiteoutPrefix = ".wh.";
const aufsPrefix = ".wh..wh.";
const opaqueMarker = ".wh..wh..opq";

/**
 * The names on the way to an entry, from the root of the image. `.` and `..` are taken as they stand, since an archive
 * has no links to follow yet.
 *
 * @throws ANYPROC_UNSAFE_PATH for a path that leaves the root
 */
export function splitPath(path: ByteString): ByteString[] {
  const names: ByteString[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) throw unsafe(path, "leads out of the image");
  }
  return names;
}

/**
 * Reads the name of an entry, whiteouts included.
 *
 * @throws ANYPROC_UNSAFE_PATH
 */
export function readEntryName(path: ByteString, stripComponents: number): EntryName | undefined {
  const all = splitPath(path);
  if (all.length < stripComponents || (stripComponents > 0 && all.length === stripComponents)) return undefined;
  const names = all.slice(stripComponents);
  const last = names.at(-1) ?? "";
  const parents = names.slice(0, -1);
  if (parents.some((name) => name.startsWith(aufsPrefix))) return { kind: "ignored" };
  if (parents.some((name) => name.startsWith(whiteoutPrefix))) throw unsafe(path, "lies inside a whiteout");
  if (!last.startsWith(whiteoutPrefix)) return { kind: "plain", names };
  if (last === opaqueMarker) return { kind: "opaque", names: parents };
  if (last.startsWith(aufsPrefix)) return { kind: "ignored" };
  const hidden = last.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw unsafe(path, "is a whiteout of no file");
  return { kind: "whiteout", names: [...parents, hidden] };
}

/** The error for an entry that must not be unpacked. */
export function unsafe(path: ByteString, reason: string): Error {
  const shown = JSON.stringify(Buffer.from(path, "latin1").toString("utf8"));
  return imageError("ANYPROC_UNSAFE_PATH", `the entry ${shown} ${reason}: the image is refused`);
}
