import fc from "fast-check";
import { expect, test } from "vitest";
import { formatRootfsOwner, parseRootfsOwner } from "../src/index.ts";

const id = fc.integer({ min: 0, max: 0xffff_fffe });

test("what is written is read again", () => {
  fc.assert(
    fc.property(fc.record({ uid: id, gid: id }, { noNullPrototype: true }), (owner) => {
      expect(parseRootfsOwner(formatRootfsOwner(owner))).toEqual(owner);
    }),
  );
  expect(formatRootfsOwner({ uid: 33, gid: 44 }).toString()).toBe("33:44");
});

test.each(["", ":", "1", "1:", ":1", "1:2 ", "1:2:", "-1:0", "4294967295:0", "0:99999999999", "0x1:0"])(
  "%j is no owner",
  (value) => {
    expect(parseRootfsOwner(Buffer.from(value))).toBeUndefined();
  },
);
