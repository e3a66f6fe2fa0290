import { formatHeader, TarReader } from "@anyproc/core/tar";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPax } from "../../src/tar/pax.ts";
import { archive, entryOf, entryOfType, withField } from "./archive.ts";

const file = archive([{ path: "file", content: "x" }]);

function read(bytes: Buffer): number {
  let entries = 0;
  const reader = new TarReader(() => {
    entries += 1;
    return { write() {}, end() {} };
  });
  reader.write(bytes);
  reader.end();
  return entries;
}

function paxEntry(records: readonly (readonly [string, string])[], content = ""): Buffer {
  return Buffer.concat([entryOfType("x", formatPax(records)), archive([{ path: "file", content }])]);
}

/** An old GNU sparse header: pairs of offset and length, and the size with holes. */
function oldSparse(pairs: readonly (readonly [string, string])[], size: string, content = ""): Buffer {
  let header = archive([{ path: "sparse", content }], { end: false });
  for (const [index, pair] of pairs.entries()) header = withField(header, 386 + 24 * index, pair.join(""));
  return withField(withField(header, 483, size), 156, "S");
}

const octal = (value: number): string => `${value.toString(8).padStart(11, "0")}\0`;
const negative = Buffer.alloc(12, 0xff);

describe("a hostile archive is refused:", () => {
  const attacks: readonly (readonly [string, Buffer])[] = [
    ["a negative size", withField(file, 124, negative)],
    ["a size beyond all numbers", withField(file, 124, Buffer.alloc(12, 0xfe))],
    ["a user that cannot be", withField(file, 108, negative.subarray(0, 8))],
    ["a device with a negative number", withField(withField(file, 329, negative.subarray(0, 8)), 156, "3")],
    ["a NUL in a name", paxEntry([["path", "a\0b"]])],
    ["a NUL in a target", Buffer.concat([entryOfType("x", formatPax([["linkpath", "a\0b"]])), entryOfType("2", "")])],
    ["a NUL in an attribute's name", paxEntry([["SCHILY.xattr.user.a\0b", "x"]])],
    ["an attribute without a name", paxEntry([["SCHILY.xattr.", "x"]])],
    ["a size that is no number", paxEntry([["size", "1e9"]])],
    ["an extended header of 2 GiB", withField(entryOfType("x", ""), 124, octal(2 ** 31))],
    ["a long name of 2 GiB", withField(entryOfType("L", ""), 124, octal(2 ** 31))],
    ["an extended header for nobody", Buffer.concat([entryOfType("x", ""), Buffer.alloc(1024)])],
    [
      "headers for all entries without end",
      Buffer.concat(Array.from({ length: 40 }, (_, i) => entryOfType("g", formatPax([[`${i}`, "x".repeat(2 ** 15)]])))),
    ],
    [
      "pieces that overlap",
      oldSparse(
        [
          [octal(0), octal(1)],
          [octal(0), octal(1)],
        ],
        octal(10),
        "ab",
      ),
    ],
    ["a piece beyond the end", oldSparse([[octal(10), octal(1)]], octal(10), "a")],
    ["a map that does not fit its data", oldSparse([[octal(0), octal(2)]], octal(10), "a")],
    ["a piece of negative length", oldSparse([[octal(5), negative.toString("latin1")]], octal(10), "a")],
    [
      "a map in front of the data that is cut short",
      paxEntry(
        [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.realsize", "9"],
        ],
        "1\n0\n",
      ),
    ],
    [
      "a map in front of the data with an endless line",
      paxEntry(
        [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.realsize", "9"],
        ],
        "1".repeat(1024),
      ),
    ],
    [
      "a map in front of the data with a trillion pieces",
      paxEntry(
        [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.realsize", "9"],
        ],
        `1000000000000\n${"0\n".repeat(510)}`,
      ),
    ],
    [
      "an odd map",
      paxEntry(
        [
          ["GNU.sparse.size", "9"],
          ["GNU.sparse.map", "0,1,2"],
        ],
        "x",
      ),
    ],
  ];

  test.each(attacks)("%s", (_, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: "ANYPROC_ARCHIVE_INVALID" }));
  });
});

describe("an unusual archive is read:", () => {
  test("types that are no file's are named as such, with their content passed over", () => {
    const types: string[] = [];
    const bytes = Buffer.concat([entryOfType("M", "content"), entryOfType("V", ""), file]);
    new TarReader((entry) => void types.push(entry.type === "unknown" ? entry.typeFlag : entry.type)).write(bytes);
    expect(types).toEqual(["M", "file"]);
  });

  test("links, directories and devices have no content, whatever size they state", () => {
    for (const typeFlag of ["1", "2", "3", "4", "5", "6"]) {
      const header = withField(formatHeader(entryOf({ path: "x" })), 124, octal(4096));
      expect(read(Buffer.concat([withField(header, 156, typeFlag), file]))).toBe(2);
    }
  });

  test("a record without a value takes back what is said of all", () => {
    const paths: string[] = [];
    const bytes = Buffer.concat([
      entryOfType("g", formatPax([["path", "all"]])),
      file.subarray(0, 1024),
      paxEntry([["path", ""]]),
    ]);
    new TarReader((entry) => void paths.push(entry.path)).write(bytes);
    expect(paths).toEqual(["all", "file"]);
  });

  test("a map of a hundred thousand pieces", () => {
    const pieces = 100_000;
    const map = `${pieces}\n${Array.from({ length: pieces }, (_, i) => `${i * 2}\n1\n`).join("")}`;
    const content = map.padEnd(Math.ceil(map.length / 512) * 512, "\0") + "x".repeat(pieces);
    let sum = 0;
    const add = (position: number): void => {
      sum += position;
    };
    const reader = new TarReader(() => ({ write: (_, position) => add(position), end() {} }));
    reader.write(
      paxEntry(
        [
          ["GNU.sparse.major", "1"],
          ["GNU.sparse.realsize", String(2 * pieces)],
        ],
        content,
      ),
    );
    expect(sum).toBe(pieces * (pieces - 1));
  });
});

test("any damage at all to any kind of entry is read or refused, never more", () => {
  const bytes = Buffer.concat([
    entryOfType("g", formatPax([["comment", "all"]])),
    entryOfType("K", `${"k".repeat(150)}\0`),
    entryOfType("L", `${"l".repeat(150)}\0`),
    archive([{ path: "link", type: "symlink", linkPath: "x" }], { end: false }),
    oldSparse(
      [
        [octal(0), octal(1)],
        [octal(5), octal(1)],
      ],
      octal(10),
      "ab",
    ),
    paxEntry(
      [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.realsize", "9"],
      ],
      `${"1\n8\n1\n".padEnd(512, "\0")}x`,
    ),
  ]);
  expect(read(bytes)).toBe(3);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
      // Half of the time the checksums are right again: then the fields behind them are what is looked at.
      const wrong = Buffer.from(bytes);
      for (const [place, value] of changes) {
        wrong[place] = value;
        const block = place - (place % 512);
        if (value % 2 === 0) withField(wrong.subarray(block, block + 512), 0, "").copy(wrong, block);
      }
      try {
        read(wrong);
      } catch (error) {
        expect(error).toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
      }
    }),
    { numRuns: 1000 },
  );
});
