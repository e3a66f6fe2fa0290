import { type ByteString, bytesOf, type Timestamp } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";

/** The records of a pax extended header. */
export interface PaxRecords {
  readonly values: ReadonlyMap<ByteString, ByteString>;
  /** Every value of GNU.sparse.offset and GNU.sparse.numbytes, which are repeated, in order. */
  readonly sparse: readonly number[];
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
    const digits = space < 0 || space - position > 10 ? "" : data.toString("latin1", position, space);
    const end = /^\d+$/.test(digits) ? position + Number(digits) : 0;
    const equals = data.indexOf(0x3d, space);
    if (end > data.length || end <= space || equals < 0 || equals >= end || data[end - 1] !== 0x0a) {
      throw invalidArchive("a pax header is malformed");
    }
    const key = data.toString("latin1", space + 1, equals);
    const value = data.toString("latin1", equals + 1, end - 1);
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparse.push(paxCount(key, value));
    else values.set(key, value);
    position = end;
  }
  return { values, sparse };
}

/** Writes records; each length counts its own digits. */
export function formatPax(records: readonly (readonly [key: ByteString, value: ByteString])[]): Buffer {
  let text = "";
  for (const [key, value] of records) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length > length) length += 1;
    text += `${length}${rest}`;
  }
  return bytesOf(text);
}

/** A number without sign. @throws ANYPROC_ARCHIVE_INVALID */
export function paxCount(key: string, value: string): number {
  const result = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(result)) throw invalidArchive(`pax ${key} is no usable number`);
  return result;
}

/** Seconds with a decimal fraction. @throws ANYPROC_ARCHIVE_INVALID */
export function parsePaxTime(key: string, value: string): Timestamp {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(value) ?? [];
  const seconds = Number(whole);
  if (whole === "" || !Number.isSafeInteger(seconds)) throw invalidArchive(`pax ${key} is no time`);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** Seconds with a decimal fraction, as short as it can be. */
export function formatPaxTime({ seconds, nanoseconds }: Timestamp): string {
  if (nanoseconds === 0) return String(seconds);
  const isNegative = seconds < 0;
  const whole = isNegative ? -(seconds + 1) : seconds;
  const fraction = String(isNegative ? 1_000_000_000 - nanoseconds : nanoseconds).padStart(9, "0");
  return `${isNegative ? "-" : ""}${whole}.${fraction.replace(/0+$/, "")}`;
}
