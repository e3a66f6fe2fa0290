import { AnyprocError } from "./errors.ts";

/** What the file system under a rootfs does not say about one path of it. */
export interface RootfsMetadataEntry {
  /** Path inside the rootfs without a leading slash, as bytes: file names need not be UTF-8. */
  readonly path: Uint8Array;
  readonly uid?: number;
  readonly gid?: number;
  /** What the path is, when an empty regular file stands for it. */
  readonly type?: "character-device" | "block-device" | "fifo";
  /** Of a device. */
  readonly major?: number;
  /** Of a device. */
  readonly minor?: number;
  /** Extended attributes by name. */
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** The content of a metadata file: docs/rootfs-metadata.md describes the format. */
export interface RootfsMetadata {
  /** Owner of every path that has none of its own here; undefined: the one that the file system says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly entries: Iterable<RootfsMetadataEntry>;
}

const format = "anyproc-rootfs-metadata";
const version = 1;
const types: readonly unknown[] = ["character-device", "block-device", "fifo"];

/** Where the metadata of a rootfs lies: beside it, so that no program inside sees it. */
export function rootfsMetadataPath(rootfs: string): string {
  return `${rootfs.replace(/(?<!^)\/+$/, "")}.metadata`;
}

/** The lines of a metadata file, each with its line feed; entries are written in the order in which they come. */
export function* formatRootfsMetadata({ owner, entries }: RootfsMetadata): Generator<string> {
  yield `${JSON.stringify({ format, version, ...owner })}\n`;
  for (const { path, xattrs, ...facts } of entries) {
    const encoded = xattrs && Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [name, base64(value)]));
    yield `${JSON.stringify({ ...formatPath(path), ...facts, ...(encoded && { xattrs: encoded }) })}\n`;
  }
}

/**
 * Reads a metadata file.
 *
 * @param name what to call the file in messages
 * @throws ANYPROC_ROOTFS_INVALID, naming the line
 */
export function parseRootfsMetadata(name: string, text: string): RootfsMetadata {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw invalid(name, lines.length + 1, "the file was cut short");
  const header = parseLine(name, 1, lines[0] ?? "");
  if (header["format"] !== format || header["version"] !== version) {
    throw invalid(name, 1, `is not {"format":"${format}","version":${version}}`);
  }
  const { uid, gid } = header;
  const entries = lines.slice(1).map((line, index) => parseEntry(name, index + 2, parseLine(name, index + 2, line)));
  return isId(uid) && isId(gid) ? { owner: { uid, gid }, entries } : { entries };
}

function parseEntry(name: string, line: number, fields: Record<string, unknown>): RootfsMetadataEntry {
  const { path, pathBase64, uid, gid, type, major, minor, xattrs } = fields;
  const bytes =
    typeof path === "string"
      ? new TextEncoder().encode(path)
      : typeof pathBase64 === "string"
        ? Uint8Array.from(Buffer.from(pathBase64, "base64"))
        : undefined;
  if (!bytes) throw invalid(name, line, "has no path");
  for (const [key, value] of Object.entries({ uid, gid, major, minor })) {
    if (value !== undefined && !isId(value)) throw invalid(name, line, `${key} is not a number from 0 to 4294967295`);
  }
  if (type !== undefined && !types.includes(type)) throw invalid(name, line, `type is none of ${types.join(", ")}`);
  return {
    path: bytes,
    ...(isId(uid) && { uid }),
    ...(isId(gid) && { gid }),
    ...(type !== undefined && { type: type as NonNullable<RootfsMetadataEntry["type"]> }),
    ...(isId(major) && { major }),
    ...(isId(minor) && { minor }),
    ...(xattrs !== undefined && { xattrs: parseXattrs(name, line, xattrs) }),
  };
}

function parseXattrs(name: string, line: number, value: unknown): Record<string, Uint8Array> {
  if (typeof value !== "object" || value === null) throw invalid(name, line, "xattrs is not an object");
  const result: [string, Uint8Array][] = Object.entries(value).map(([key, encoded]) => {
    if (typeof encoded !== "string") throw invalid(name, line, `xattrs: ${key} is not text in base64`);
    return [key, Uint8Array.from(Buffer.from(encoded, "base64"))];
  });
  return Object.fromEntries(result);
}

function parseLine(name: string, line: number, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw invalid(name, line, "is not a JSON object");
}

function formatPath(path: Uint8Array): { readonly path: string } | { readonly pathBase64: string } {
  try {
    return { path: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(path) };
  } catch {
    return { pathBase64: base64(path) };
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

function invalid(name: string, line: number, reason: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_ROOTFS_INVALID",
    `${name}: line ${line}: ${reason}: unpack the image again, or remove the file to go on without what it says`,
  );
}
