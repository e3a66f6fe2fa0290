import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../src/process/lines.ts";

async function lines(chunks: readonly Uint8Array[]): Promise<string[]> {
  const all: string[] = [];
  for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) all.push(line);
  return all;
}

test("line ends, empty lines and a last line without an end", async () => {
  expect(await lines([Buffer.from("a\r\n\nb\rc\nd")])).toEqual(["a", "", "b\rc", "d"]);
  expect(await lines([Buffer.from("a\n")])).toEqual(["a"]);
  expect(await lines([])).toEqual([]);
  expect(await lines([Buffer.from("\ufeffa\n")])).toEqual(["\ufeffa"]);
});

test("it does not matter where the chunks are cut, not even inside a character", async () => {
  const text = "één\ntwee 🙂\n\ndrie\n";
  const bytes = Buffer.from(text);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
      expect(await lines(chunks)).toEqual(["één", "twee 🙂", "", "drie"]);
    }),
  );
});
