import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPax, formatPaxTime, parsePax, parsePaxTime } from "../../src/tar/pax.ts";

const byteString = fc
  .array(fc.integer({ min: 1, max: 255 }), { maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("pax records", () => {
  test("of every length are carried", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("path", "a", "x.y", "comment"), byteString), (records) => {
        expect([...parsePax(formatPax(Object.entries(records))).values]).toEqual(Object.entries(records));
      }),
    );
  });

  test("carry times before 1970 and parts of a second", () => {
    expect(parsePaxTime("mtime", "-1.25")).toEqual({ seconds: -2, nanoseconds: 750_000_000 });
    expect(formatPaxTime({ seconds: -2, nanoseconds: 750_000_000 })).toBe("-1.25");
    const time = fc.record({
      seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    });
    fc.assert(
      fc.property(time, (original) => {
        expect(parsePaxTime("mtime", formatPaxTime(original))).toEqual(original);
      }),
    );
  });

  test.each(["", "lots", "1e3", "0x10", "1.5", "9007199254740993"])("%j is no time or number to go by", (text) => {
    const header = Buffer.from(formatPax([["GNU.sparse.offset", text]]));
    expect(() => parsePax(header)).toThrow(expect.objectContaining({ code: "ANYPROC_ARCHIVE_INVALID" }));
  });
});
