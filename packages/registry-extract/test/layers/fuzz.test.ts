import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { removeTree } from "../../src/cache/remove-tree.ts";
import { applyTo } from "../fixtures/apply.ts";
import type { EntryInput } from "../fixtures/archive.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree } from "../fixtures/tree.ts";

// Few names, so that entries meet; many ways to leave.
const name = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom("a", "b", "c") },
  { weight: 6, arbitrary: fc.constantFrom(".wh.a", ".wh.b", ".wh..wh..opq", ".", "") },
  { weight: 2, arbitrary: fc.constantFrom("..", "outside", "rootfs", ".wh..", ".wh...") },
);
const path = fc
  .tuple(fc.constantFrom("", "", "", "/", "./"), fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([start, names]) => `${start}${names.join("/")}`);
const entry: fc.Arbitrary<EntryInput> = fc.record({
  path,
  type: fc.constantFrom("file", "file", "file", "directory", "directory", "symlink", "symlink", "hardlink", "fifo"),
  linkPath: fc.oneof(path, fc.constantFrom("..", "../outside", "/", "/outside", "../../..", "a/../../outside/canary")),
  mode: fc.constantFrom(0o755, 0o000, 0o4777, 0o1777, 0o200),
  content: fc.constantFrom("", "content"),
});
const layers = fc.array(fc.array(entry, { maxLength: 5 }), { minLength: 1, maxLength: 4 });

const acceptable = /^ANYPROC_(UNSAFE_PATH|ARCHIVE_INVALID|TARGET_UNWRITABLE)$/;

test.each([false, true])(
  "whatever a tar says, nothing happens outside of the target (stacked: %s)",
  async (stacked) => {
    const directory = temporaryDirectory();
    const outside = join(directory, "outside");
    mkdirSync(join(outside, "a/b"), { recursive: true });
    writeFileSync(join(outside, "canary"), "untouched", { mode: 0o640 });
    symlinkSync("canary", join(outside, "b"));
    const before = describeTree(outside);
    let unpacked = 0;
    await fc.assert(
      fc.asyncProperty(layers, async (content) => {
        const work = join(directory, "work");
        mkdirSync(work);
        try {
          const { root } = await applyTo(work, content, stacked ? { stacked: { lowers: [] } } : {});
          expect(lstatSync(root).isDirectory()).toBe(true);
          unpacked += 1;
        } catch (error) {
          expect((error as { code?: unknown }).code).toMatch(acceptable);
        }
        const expected = ["rootfs", "rootfs.metadata", ...content.map((_, index) => `layer-${index}`)];
        for (const found of readdirSync(work)) expect(expected).toContain(found);
        await removeTree(work);
      }),
      { numRuns: 400 },
    );
    expect(describeTree(outside)).toEqual(before);
    expect(readdirSync(directory)).toEqual(["outside"]);
    // Enough of what was made up is taken, or the test would show little.
    expect(unpacked).toBeGreaterThan(20);
  },
);
