import { isAnyprocError } from "@anyproc/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CompactMap } from "../../src/layers/compact-map.ts";
import { MemoryBudget } from "../../src/layers/memory-budget.ts";

const text = { format: (value: string) => value, parse: (value: string) => value };
const byteString = fc.array(fc.nat(255), { maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const key = fc.oneof(byteString, fc.constantFrom("", "a", "a/b", "a/c"));

test("is what a Map is", () => {
  const operation = fc.record({ key, value: fc.option(byteString, { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const compact = new CompactMap(new MemoryBudget(1e9), text);
      const map = new Map<string, string>();
      for (const { key, value } of operations) {
        if (value === undefined) {
          compact.delete(key);
          map.delete(key);
        } else {
          compact.set(key, value);
          map.set(key, value);
        }
      }
      expect(new Map(compact.latestFirst())).toEqual(map);
      expect(compact.size).toBe(map.size);
      for (const { key } of operations) {
        expect(compact.get(key)).toBe(map.get(key));
        expect(compact.has(key)).toBe(map.has(key));
      }
    }),
  );
});

test("holds many, and what is longer than a page", () => {
  const map = new CompactMap(new MemoryBudget(1e9), text);
  const long = (number: number) => `${number}`.repeat(40_000);
  for (let number = 0; number < 20_000; number += 1) map.set(`name-${number}`, `${number % 7}`);
  for (let number = 0; number < 20; number += 1) map.set(long(number), long(number + 1));
  for (let number = 0; number < 20_000; number += 1) expect(map.get(`name-${number}`)).toBe(`${number % 7}`);
  for (let number = 0; number < 20; number += 1) expect(map.get(long(number))).toBe(long(number + 1));
});

test("gives what came first at the end, also when it was deleted since", () => {
  const map = new CompactMap(new MemoryBudget(1e9), text);
  for (const key of ["a", "a/b", "a/b/c"]) map.set(key, "1");
  map.delete("a");
  map.set("a", "2");
  expect([...map.latestFirst()].map(([key]) => key)).toEqual(["a/b/c", "a/b", "a"]);
});

test("refuses what does not fit, always at the same place", () => {
  const fill = (): number => {
    const map = new CompactMap(new MemoryBudget(1_000_000), text);
    for (let number = 0; ; number += 1) {
      try {
        map.set(`some/directory/with-the-number-${number}`, `${number % 100}`);
      } catch (error) {
        expect(isAnyprocError(error, "ANYPROC_IMAGE_LIMIT")).toBe(true);
        return number;
      }
    }
  };
  const count = fill();
  expect(count).toBeGreaterThan(10_000);
  expect(fill()).toBe(count);
});
