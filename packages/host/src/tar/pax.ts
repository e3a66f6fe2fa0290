import type { Timestamp } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";

/** Records of an extended header in their order; a key may come more than once. Values are bytes, see TarEntry. */
export type PaxRecords = readonly (readonly [key: string, value: string])[];

/** @throws ANYPROC_ARCHIVE_INVALID; the format is in pax(1), "pax Extended Header" */
export function parsePax(data: Buffer): PaxRecords {
  const records: [string, string][] = [];
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(data.toString("latin1", at, space));
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (!(Number.isInteger(length) && equals > space && equals < end && end <= data.length && data[end - 1] === 0x0a)) {
      throw invalidArchive("an extended header is malformed");
    }
    records.push([data.toString("utf8", space + 1, equals), data.toString("latin1", equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

export function formatPax(records: PaxRecords): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.from(` ${key}=${value}\n`, "latin1");
      // The length counts its own digits too.
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

/** The last value of a key; an empty one takes back what an earlier header said. */
export function paxValue(records: PaxRecords, key: string): string | undefined {
  const value = records.findLast(([name]) => name === key)?.[1];
  return value === "" ? undefined : value;
}

export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = paxValue(records, key);
  if (value === undefined) return undefined;
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw invalidArchive(`${key} is ${JSON.stringify(value)} instead of a number`);
  }
  return Number(value);
}

export function parseTimestamp(value: string): Timestamp {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(value) ?? [];
  if (whole === undefined) throw invalidArchive(`a time is ${JSON.stringify(value)}`);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds: Number(whole), nanoseconds };
  // -1.25 is 750 ms after -2.
  return nanoseconds === 0
    ? { seconds: -Number(whole), nanoseconds }
    : { seconds: -Number(whole) - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

export function formatTimestamp({ seconds, nanoseconds }: Timestamp): string {
  if (nanoseconds === 0) return String(seconds);
  const isNegative = seconds < 0;
  const whole = isNegative ? -seconds - 1 : seconds;
  const part = isNegative ? 1_000_000_000 - nanoseconds : nanoseconds;
  return `${isNegative ? "-" : ""}${whole}.${String(part).padStart(9, "0").replace(/0+$/, "")}`;
}
