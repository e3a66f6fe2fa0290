import { type ByteString, bytesOf } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";

const schily = "SCHILY.xattr.";
const libarchive = "LIBARCHIVE.xattr.";
const none: ReadonlyMap<ByteString, Buffer> = new Map();

/**
 * Extended attributes among pax records, as star, GNU tar and Go write them, or as libarchive does.
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function readXattrs(values: ReadonlyMap<ByteString, ByteString>): ReadonlyMap<ByteString, Buffer> {
  if (values.size === 0) return none;
  const xattrs = new Map<ByteString, Buffer>();
  for (const [key, value] of values) {
    if (key.startsWith(schily)) {
      xattrs.set(checked(key.slice(schily.length)), bytesOf(value));
    } else if (key.startsWith(libarchive)) {
      const name = checked(fromPercent(key.slice(libarchive.length)));
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value, "base64"));
    }
  }
  return xattrs;
}

/** The pax record of an extended attribute. A name with `=` in it has no place in star's: it is written as libarchive's. */
export function xattrRecord(name: ByteString, value: Buffer): [key: ByteString, value: ByteString] {
  if (!name.includes("=")) return [`${schily}${name}`, value.toString("latin1")];
  const encoded = name.replaceAll("%", "%25").replaceAll("=", "%3D");
  return [`${libarchive}${encoded}`, value.toString("base64")];
}

function fromPercent(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function checked(name: ByteString): ByteString {
  if (name === "" || name.includes("\0")) throw invalidArchive("the name of an extended attribute is no name");
  return name;
}
