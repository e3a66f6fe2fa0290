import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZstdFrameSplitter } from "../../src/layers/zstd-frames.ts";
import { hasProgram } from "../fixtures/programs.ts";

const hasZstd = hasProgram("zstd");

describe.skipIf(!hasZstd)("frames of zstd(1)", () => {
  const compress = (text: string, ...options: string[]): Buffer => {
    return execFileSync("zstd", ["-q", "-c", ...options], { input: text });
  };
  const skippable = Buffer.from("5f2a4d18050000006162636465", "hex");
  const frames = [
    compress("hello"),
    skippable,
    compress("x".repeat(1_000_000), "--no-check"),
    compress(Array.from({ length: 50_000 }, (_, index) => `${index}`).join(" "), "-19"),
    Buffer.from("502a4d1800000000", "hex"),
    compress(""),
  ];
  const all = Buffer.concat(frames);

  test("are cut apart, in whatever chunks they come", () => {
    const ends = frames.map((_, index) => frames.slice(0, index + 1).reduce((sum, frame) => sum + frame.length, 0));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: all.length }), (chunkBytes) => {
        const splitter = new ZstdFrameSplitter();
        const cuts = new Set<number>();
        const pieces: Buffer[] = [];
        for (let at = 0; at < all.length; at += chunkBytes) {
          let position = at;
          for (const piece of splitter.split(all.subarray(at, at + chunkBytes))) {
            pieces.push(piece);
            position += piece.length;
            cuts.add(position);
          }
        }
        expect(Buffer.concat(pieces).equals(all)).toBe(true);
        for (const end of ends) expect(cuts).toContain(end);
      }),
      { numRuns: 50 },
    );
  });
});

test("what is no zstd is passed on as it is", () => {
  const bytes = Buffer.from("this is not zstd at all");
  expect(new ZstdFrameSplitter().split(bytes)).toEqual([bytes]);
});
