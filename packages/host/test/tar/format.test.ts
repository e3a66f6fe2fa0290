import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntryType, TarEntry } from "../../src/tar/entry.ts";
import { formatPax, formatTimestamp, parsePax, parseTimestamp } from "../../src/tar/pax.ts";
import { readTar } from "../../src/tar/read-tar.ts";
import { endOfArchive, formatEntry } from "../../src/tar/write-tar.ts";

const byteString = (constraints: fc.ArrayConstraints): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), constraints).map((bytes) => Buffer.from(bytes).toString("latin1"));

const timestamp = fc.record({
  seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
});

async function firstEntry(bytes: Buffer): Promise<TarEntry | undefined> {
  for await (const { entry } of readTar(Readable.from([bytes], { objectMode: false }))) return entry;
  return undefined;
}

describe("the tar format", () => {
  test("carries every name, owner, time and device there and back", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          name: byteString({ minLength: 1, maxLength: 300 }).filter((name) => !name.endsWith("/")),
          type: fc.constantFrom<EntryType>("symlink", "hard link"),
          mode: fc.integer({ min: 0, max: 0o7777 }),
          uid: fc.nat({ max: 2 ** 32 - 1 }),
          gid: fc.nat({ max: 2 ** 32 - 1 }),
          mtime: timestamp,
          linkName: byteString({ minLength: 1, maxLength: 300 }),
          deviceMajor: fc.nat({ max: 4095 }),
          deviceMinor: fc.nat({ max: 2 ** 20 - 1 }),
        }),
        async (fields) => {
          const entry: TarEntry = { ...fields, size: 0, xattrs: [] };
          expect(await firstEntry(Buffer.concat([formatEntry(entry), endOfArchive]))).toEqual(entry);
        },
      ),
    ));

  test("carries sizes beyond 8 GiB", async () => {
    const entry: TarEntry = {
      name: "large",
      type: "file",
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
      size: 2 ** 43 + 1,
      linkName: "",
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: [],
    };
    expect(await firstEntry(formatEntry(entry))).toEqual(entry);
  });

  test("reads sizes in base 256, as GNU tar writes them", async () => {
    const header = formatEntry({
      name: "large",
      type: "file",
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
      size: 0,
      linkName: "",
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: [],
    });
    header.fill(0, 124, 136);
    header[124] = 0x80;
    header.writeBigUInt64BE(2n ** 40n, 128);
    header.write("        ", 148);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    expect((await firstEntry(header))?.size).toBe(2 ** 40);
  });

  test("carries pax records of every length", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("path", "a", "x.y"), byteString({ maxLength: 200 }))),
        (records) => {
          expect(parsePax(formatPax(records))).toEqual(records);
        },
      ),
    );
  });

  test("carries times before 1970 and parts of a second", () => {
    expect(parseTimestamp("-1.25")).toEqual({ seconds: -2, nanoseconds: 750_000_000 });
    expect(formatTimestamp({ seconds: -2, nanoseconds: 750_000_000 })).toBe("-1.25");
    fc.assert(
      fc.property(timestamp, (time) => {
        expect(parseTimestamp(formatTimestamp(time))).toEqual(time);
      }),
    );
  });

  test("has nothing to say of arbitrary bytes but that they are no archive", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        await expect(firstEntry(Buffer.from(bytes))).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
      }),
    ));
});
