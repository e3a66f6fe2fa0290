import { lstatSync, type Stats } from "node:fs";
import { type ByteString, toByteString } from "@anyproc/core/tar";
import { hostPath } from "./host-path.ts";
import type { NativeFiles } from "./native-files.ts";
import { opaqueAttribute } from "./whiteout-writer.ts";

/** A file of a lower layer. */
export interface LowerFile {
  readonly host: string | Buffer;
  readonly stats: Stats;
}

/**
 * Finds what a stack of unpacked layers has at a path, no component of which may be a symbolic link. Undefined when
 * there is nothing, or a whiteout.
 *
 * @param lowers directories of the layers, the uppermost first
 */
export function findInLower(
  lowers: readonly string[],
  names: readonly ByteString[],
  native: NativeFiles | undefined,
): LowerFile | undefined {
  for (const lower of lowers) {
    const found = lookInto(toByteString(lower), names, native);
    if (found === "hidden") return undefined;
    if (found !== "absent") return found;
  }
  return undefined;
}

function lookInto(
  lower: ByteString,
  names: readonly ByteString[],
  native: NativeFiles | undefined,
): LowerFile | "absent" | "hidden" {
  let directory = lower;
  let isOpaque = false;
  for (const [index, name] of names.entries()) {
    isOpaque ||= hidesLower(directory, native);
    const host = hostPath(`${directory}/${name}`);
    const stats = lstatSync(host, { throwIfNoEntry: false });
    if (isWhiteout(stats) || exists(`${directory}/.wh.${name}`)) return "hidden";
    if (!stats) return isOpaque ? "hidden" : "absent";
    if (index === names.length - 1) return { host, stats };
    if (!stats.isDirectory()) return "hidden";
    directory = `${directory}/${name}`;
  }
  return "absent";
}

function hidesLower(directory: ByteString, native: NativeFiles | undefined): boolean {
  if (exists(`${directory}/.wh..wh..opq`)) return true;
  const xattrs = native?.getXattrs(Buffer.from(directory, "latin1")) ?? {};
  return [true, false].some((privileged) => xattrs[opaqueAttribute(privileged)]?.toString() === "y");
}

function isWhiteout(stats: Stats | undefined): boolean {
  return stats?.isCharacterDevice() === true && stats.rdev === 0;
}

function exists(path: ByteString): boolean {
  return lstatSync(hostPath(path), { throwIfNoEntry: false }) !== undefined;
}
