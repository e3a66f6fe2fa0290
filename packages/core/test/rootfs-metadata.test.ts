import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatRootfsMetadata,
  parseRootfsMetadata,
  type RootfsMetadataEntry,
  rootfsMetadataPath,
} from "../src/index.ts";

const id = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 20 });
const entry: fc.Arbitrary<RootfsMetadataEntry> = fc.record(
  {
    path: fc.uint8Array({ minLength: 1, maxLength: 30 }),
    uid: id,
    gid: id,
    type: fc.constantFrom("character-device", "block-device", "fifo"),
    major: id,
    minor: id,
    xattrs: fc.dictionary(fc.stringMatching(/^[a-z.]+$/), bytes, { noNullPrototype: true }),
  },
  { requiredKeys: ["path"] },
);

test("what is written is read again, names that are not UTF-8 included", () => {
  fc.assert(
    fc.property(fc.option(fc.record({ uid: id, gid: id }), { nil: undefined }), fc.array(entry), (owner, entries) => {
      const text = [...formatRootfsMetadata({ ...(owner && { owner }), entries })].join("");
      expect(parseRootfsMetadata("file", text)).toEqual({ ...(owner && { owner }), entries });
    }),
  );
});

test("the format is the documented one", () => {
  const entries = [
    { path: Buffer.from("dev/null"), type: "character-device" as const, major: 1, minor: 3 },
    { path: Buffer.from("bin/ping"), xattrs: { "security.capability": Buffer.from("x") } },
    { path: Buffer.from([0x66, 0xfc]), uid: 7, gid: 0 },
  ];
  expect([...formatRootfsMetadata({ owner: { uid: 0, gid: 0 }, entries })]).toEqual([
    '{"format":"anyproc-rootfs-metadata","version":1,"uid":0,"gid":0}\n',
    '{"path":"dev/null","type":"character-device","major":1,"minor":3}\n',
    '{"path":"bin/ping","xattrs":{"security.capability":"eA=="}}\n',
    '{"pathBase64":"Zvw=","uid":7,"gid":0}\n',
  ]);
});

const header = '{"format":"anyproc-rootfs-metadata","version":1}\n';
test.each([
  ["", /line 1: is not a JSON object/],
  ['{"format":"other"}\n', /line 1: is not/],
  [`${header}{"path":"a"}`, /line 3: the file was cut short|line 2/],
  [`${header}nonsense\n`, /line 2: is not a JSON object/],
  [`${header}{"uid":1}\n`, /line 2: has no path/],
  [`${header}{"path":"a","uid":-1}\n`, /line 2: uid is not a number/],
  [`${header}{"path":"a","type":"socket"}\n`, /line 2: type is none of/],
  [`${header}{"path":"a","xattrs":{"b":1}}\n`, /line 2: xattrs: b is not text/],
])("%j is refused, with the line", (text, message) => {
  expect(() => parseRootfsMetadata("file", text)).toThrow(message);
});

test.each([
  ["/srv/debian", "/srv/debian.metadata"],
  ["/srv/debian//", "/srv/debian.metadata"],
  ["debian", "debian.metadata"],
])("the metadata of %s lies in %s", (rootfs, path) => {
  expect(rootfsMetadataPath(rootfs)).toBe(path);
});
