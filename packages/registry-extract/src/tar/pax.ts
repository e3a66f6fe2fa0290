import { type ByteString, bytesOf, type Timestamp } from "./entry.ts";
import { damaged } from "./header.ts";

/** The records of a pax extended header. */
export interface PaxRecords {
  readonly values: Map<ByteString, ByteString>;
  /** Every value of GNU.sparse.offset and GNU.sparse.numbytes, which are repeated, in order. */
  readonly sparse: number[];
}

/**
 * Reads `LENGTH KEY=VALUE\n` records (POSIX pax, "pax Extended Header").
 *
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export function parsePax(data: Buffer): PaxRecords {
  const values = new Map<ByteString, ByteString>();
  const sparse: number[] = [];
  let position = 0;
  while (position < data.length) {
    const space = data.indexOf(0x20, position);
    const digits = space < 0 ? "" : data.toString("latin1", position, space);
    const end = /^\d{1,10}$/.test(digits) ? position + Number(digits) : 0;
    const equals = data.indexOf(0x3d, space);
    if (end > data.length || end <= space || equals < 0 || equals >= end || data[end - 1] !== 0x0a) {
      throw damaged("a pax header is malformed");
    }
    const key = data.toString("latin1", space + 1, equals);
    const value = data.toString("latin1", equals + 1, end - 1);
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparse.push(paxNumber(key, value));
    else values.set(key, value);
    position = end;
  }
  return { values, sparse };
}

/** A number without sign. @throws ANYPROC_ARCHIVE_INVALID */
export function paxNumber(key: string, value: string): number {
  const result = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(result)) throw damaged(`pax ${key} is no usable number`);
  return result;
}

/** Seconds with a decimal fraction. @throws ANYPROC_ARCHIVE_INVALID */
export function paxTime(key: string, value: string): Timestamp {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(value) ?? [];
  const seconds = Number(whole);
  if (whole === "" || !Number.isSafeInteger(seconds)) throw damaged(`pax ${key} is no time`);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanoseconds };
  // timespec(3type) counts nanoseconds forward, also before 1970.
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

const noXattrs: ReadonlyMap<ByteString, Buffer> = new Map();
const schily = "SCHILY.xattr.";
const libarchive = "LIBARCHIVE.xattr.";

/** Extended attributes, as star, GNU tar and Go write them, or as libarchive does. */
export function paxXattrs(values: ReadonlyMap<ByteString, ByteString>): ReadonlyMap<ByteString, Buffer> {
  if (values.size === 0) return noXattrs;
  const xattrs = new Map<ByteString, Buffer>();
  for (const [key, value] of values) {
    if (key.startsWith(schily)) xattrs.set(key.slice(schily.length), bytesOf(value));
    else if (key.startsWith(libarchive)) {
      const name = key.slice(libarchive.length).replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
        return String.fromCharCode(Number.parseInt(hex, 16));
      });
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value, "base64"));
    }
  }
  return xattrs;
}
