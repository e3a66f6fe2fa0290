import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryBudget } from "../../src/layers/memory-budget.ts";
import { PathSet } from "../../src/layers/path-set.ts";

test("holds what was added, and nothing else", () => {
  const paths = fc.array(fc.string({ unit: "binary" }), { maxLength: 200 });
  fc.assert(
    fc.property(paths, paths, (added, others) => {
      const set = new PathSet(new MemoryBudget(32e6));
      for (const path of added) set.add(path);
      for (const path of added) expect(set.has(path)).toBe(true);
      for (const path of others) expect(set.has(path)).toBe(added.includes(path));
    }),
  );
});

test("tells a hundred thousand names apart that differ in a digit", () => {
  const set = new PathSet(new MemoryBudget(32e6));
  for (let number = 0; number < 200_000; number += 2) set.add(`usr/share/directory/name-${number}`);
  for (let number = 0; number < 200_000; number += 1) {
    if (set.has(`usr/share/directory/name-${number}`) !== (number % 2 === 0)) throw new Error(`wrong about ${number}`);
  }
});
