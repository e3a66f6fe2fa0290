import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { formatGnuHeader, formatHeader, type TarEntry, TarReader, type UnknownEntry } from "@anyproc/core/tar";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archive, type EntryInput, entryOf, entryOfType } from "./archive.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

type ReadEntry = (TarEntry | UnknownEntry) & { readonly content: Buffer };

/** Reads an archive in pieces of some size; a file's content is put together at its positions. */
function readAll(bytes: Buffer, pieceBytes = bytes.length): ReadEntry[] {
  const entries: ReadEntry[] = [];
  const reader = new TarReader((entry) => {
    const read = { ...entry, content: Buffer.alloc(entry.size) };
    entries.push(read);
    return {
      write(chunk, position) {
        chunk.copy(read.content, position);
      },
      end() {},
    };
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.write(bytes.subarray(at, at + pieceBytes));
  reader.end();
  return entries;
}

const hasTar = spawnSync("tar", ["--version"]).status === 0;
const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!hasTar)("archives of GNU tar", () => {
  const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`;

  function makeTree(): string {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "tree", `${"d".repeat(90)}/${"e".repeat(90)}`), { recursive: true });
    writeFileSync(join(directory, "tree", long), "long name");
    symlinkSync(`../${long}`, join(directory, "tree/link"));
    linkSync(join(directory, "tree", long), join(directory, "tree/hard"));
    const sparse = openSync(join(directory, "tree/sparse"), "w");
    writeSync(sparse, "begin", 0);
    writeSync(sparse, "middle", 1_000_000);
    for (let hole = 2; hole < 40; hole += 1) writeSync(sparse, `piece ${hole}`, hole * 1_000_000);
    ftruncateSync(sparse, 50_000_000);
    closeSync(sparse);
    return directory;
  }

  test.each([
    ["gnu", ["--format=gnu"]],
    ["pax", ["--format=pax"]],
    ["gnu, sparse", ["--format=gnu", "-S"]],
    ["pax, sparse 0.0", ["--format=pax", "-S", "--sparse-version=0.0"]],
    ["pax, sparse 0.1", ["--format=pax", "-S", "--sparse-version=0.1"]],
    ["pax, sparse 1.0", ["--format=pax", "-S", "--sparse-version=1.0"]],
  ])("%s", (_, options) => {
    const directory = makeTree();
    const bytes = execFileSync("tar", ["-C", join(directory, "tree"), ...options, "--sort=name", "-cf", "-", "."], {
      maxBuffer: 1e9,
    });
    for (const pieceBytes of [bytes.length, 10_007]) {
      const entries = new Map(readAll(bytes, pieceBytes).map((entry) => [entry.path, entry]));
      const sparse = entries.get("./sparse");
      expect(sparse?.content.equals(readFileSync(join(directory, "tree/sparse")))).toBe(true);
      expect(entries.get("./link")).toMatchObject({ type: "symlink", linkPath: `../${long}` });
      const [first, second] = [entries.get(`./${long}`), entries.get("./hard")];
      expect([`${first?.type}`, `${second?.type}`].sort()).toEqual(["file", "hardlink"]);
      expect(String(first?.content) + String(second?.content)).toBe("long name");
    }
  });
});

describe.skipIf(!hasPython)("archives of Python", () => {
  test("numbers in base 256, attributes in pax records, old directories", () => {
    const script = `
import io, sys, tarfile
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
    info = tarfile.TarInfo("big-ids"); info.uid = 3000000000; info.mtime = -100; tar.addfile(info)
    info = tarfile.TarInfo("old/"); info.type = tarfile.AREGTYPE; tar.addfile(info)
sys.stdout.buffer.write(out.getvalue()[:1024])
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "global"}) as tar:
    info = tarfile.TarInfo("pax"); info.mtime = 1.5; info.pax_headers = {"SCHILY.xattr.user.a": "b", "LIBARCHIVE.xattr.user.c%3d": "ZA=="}
    tar.addfile(info, io.BytesIO(b""))
sys.stdout.buffer.write(out.getvalue())`;
    const bytes = execFileSync("python3", ["-c", script]);
    const [big, old, pax] = readAll(bytes);
    expect(big).toMatchObject({ path: "big-ids", uid: 3_000_000_000, mtime: { seconds: -100 } });
    expect(old).toMatchObject({ path: "old/", type: "directory" });
    expect(pax).toMatchObject({ path: "pax", mtime: { seconds: 1, nanoseconds: 500_000_000 } });
    expect([...(pax?.xattrs ?? [])].map(([name, value]) => `${name} ${value.toString()}`)).toEqual([
      "user.a b",
      "user.c= d",
    ]);
  });
});

describe("what we write ourselves", () => {
  const name = fc.string({
    unit: fc.constantFrom("a", "b", "\xe9", "/", " ", "\n", "="),
    minLength: 1,
    maxLength: 150,
  });
  const input: fc.Arbitrary<EntryInput> = fc.record({
    path: name.filter((path) => !path.endsWith("/")),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0xffff_fffe }),
    gid: fc.integer({ min: 0, max: 0xffff_fffe }),
    mtime: fc.record({
      seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
    }),
    content: fc.string({ maxLength: 2000 }),
    xattrs: fc.dictionary(
      fc.string({ unit: fc.constantFrom("a", ".", "b"), minLength: 1 }),
      fc.string({ maxLength: 50 }),
    ),
  });

  test("is read back, in whatever pieces it comes", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), (entries, pieceBytes) => {
        const read = readAll(archive(entries), pieceBytes);
        expect(
          read.map(({ path, content, mode, uid, gid, mtime }) => ({
            path,
            content: content.toString(),
            mode,
            uid,
            gid,
            mtime,
          })),
        ).toEqual(
          entries.map(({ path, content, mode, uid, gid, mtime }) => ({ path, content, mode, uid, gid, mtime })),
        );
        expect(read.map(({ xattrs }) => [...xattrs].map(([key, value]) => [key, value.toString()]))).toEqual(
          entries.map(({ xattrs }) => Object.entries(xattrs ?? {})),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("is read back from GNU's format too, with whole seconds and without attributes", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 5 }), (entries) => {
        const read = readAll(archive(entries, { format: formatGnuHeader }));
        expect(read.map(({ path, mode, uid, gid, mtime }) => [path, mode, uid, gid, mtime.seconds])).toEqual(
          entries.map(({ path, mode, uid, gid, mtime }) => [path, mode, uid, gid, mtime?.seconds]),
        );
      }),
    );
  });

  test("carries links, devices and fifos, and sizes beyond 8 GiB", () => {
    for (const format of [formatHeader, formatGnuHeader]) {
      const entries = [
        entryOf({ path: "link", type: "symlink", linkPath: `${"target/".repeat(30)}\xff` }),
        entryOf({ path: "hard", type: "hardlink", linkPath: "\xe4".repeat(101) }),
        entryOf({ path: "c", type: "character-device", device: { major: 4095, minor: 2 ** 20 - 1 } }),
        entryOf({ path: "b", type: "block-device", device: { major: 8, minor: 1 } }),
        entryOf({ path: "fifo", type: "fifo" }),
        { ...entryOf({ path: "large" }), size: 2 ** 43 + 1 },
      ];
      const read: unknown[] = [];
      new TarReader((entry) => void read.push(entry)).write(Buffer.concat(entries.map(format)));
      expect(read).toEqual(entries);
    }
  });

  test("carries attributes whatever their names and values", () => {
    const xattrs = { "user.a=b%": "\0binary\n", "user.empty": "", "security.capability": "\x01\0\0\x02" };
    const [entry] = readAll(archive([{ path: "file", xattrs }]));
    expect([...(entry?.xattrs ?? [])].map(([name, value]) => [name, value.toString()])).toEqual(Object.entries(xattrs));
  });

  test.skipIf(!hasTar).each([
    ["pax", formatHeader, "12.5"],
    ["GNU's format", formatGnuHeader, "12"],
  ])("is read by GNU tar as well: %s", (_, format, seconds) => {
    const directory = temporaryDirectory();
    const path = `${"long".repeat(40)}/${"name".repeat(40)}`;
    const bytes = archive(
      [
        { path, content: "x".repeat(1000), uid: 3_000_000_000, mtime: { seconds: 12, nanoseconds: 500_000_000 } },
        { path: "link", type: "symlink", linkPath: path },
      ],
      { format },
    );
    const listed = execFileSync("tar", ["--numeric-owner", "--full-time", "-tvf", "-"], {
      input: bytes,
      cwd: directory,
      env: { ...process.env, TZ: "UTC" },
    }).toString();
    expect(listed).toContain(`3000000000/0`);
    expect(listed).toContain(`1970-01-01 00:00:${seconds} ${path}`);
    expect(listed).toContain(`link -> ${path}`);
  });
});

describe("damaged archives", () => {
  const bytes = archive([{ path: "a".repeat(120), content: "x".repeat(1000) }, { path: "b/" }], { end: false });

  test("cut short anywhere but between entries they are refused", () => {
    const boundaries = new Set([0, bytes.length, bytes.length - 512, bytes.length - 512 - 24]);
    for (let length = 0; length <= bytes.length; length += 8) {
      const read = (): unknown => readAll(bytes.subarray(0, length));
      // Content that is complete is enough: what is cut off are the zeros after it.
      const isComplete = [...boundaries].some(
        (end) => length <= end && length >= end - (end === bytes.length - 512 ? 24 : 0),
      );
      if (isComplete) read();
      else expect(read).toThrowError(/cut short/);
    }
  });

  test("a single wrong byte in a header is noticed", () => {
    const plain = archive([{ path: "file", content: "x" }]);
    // All but the checksum's own field, in which some bytes say nothing.
    for (const at of Array.from({ length: 500 }, (_, index) => index).filter((byte) => byte < 148 || byte > 155)) {
      const wrong = Buffer.from(plain);
      wrong[at] = (wrong[at] as number) ^ 0x01;
      expect(() => readAll(wrong), `byte ${at}`).toThrowError(/damaged/);
    }
  });

  test("any bytes at all are read or refused, never more", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length - 1), { maxLength: 20 }), fc.nat(255), (places, value) => {
        const wrong = Buffer.from(bytes);
        for (const place of places) wrong[place] = value;
        try {
          readAll(wrong, 777);
        } catch (error) {
          expect(error).toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a pax header that lies about its length", "999 path=x\n"],
    ["a pax header without an end", "12 path=xxxxxxxxx"],
    ["a pax number that is none", "13 size=lots\n"],
  ])("%s is refused", (_, text) => {
    const whole = Buffer.concat([entryOfType("x", text), archive([{ path: "file" }])]);
    expect(() => readAll(whole)).toThrowError(/pax/);
  });
});
