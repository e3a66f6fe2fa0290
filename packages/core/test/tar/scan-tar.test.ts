import { endOfArchive, scanTar, TarReader } from "@anyproc/core/tar";
import fc from "fast-check";
import { expect, test } from "vitest";
import { archive, type EntryInput } from "./archive.ts";

const input: fc.Arbitrary<EntryInput> = fc.record({
  path: fc.stringMatching(/^[a-z]{1,150}$/),
  content: fc.string({ maxLength: 2000 }),
});

test("a scanned entry is read from where it stands, alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(input, { maxLength: 6 }), async (entries) => {
      const bytes = archive(entries);
      const read: EntryInput[] = [];
      let expectedStart = 0;
      const scanned = scanTar(async (position, length) => bytes.subarray(position, position + length));
      for await (const { entry, start, contentStart, end } of scanned) {
        expect(start).toBe(expectedStart);
        expectedStart = end;
        let content = "";
        const reader = new TarReader(({ path }) => ({
          write: (chunk) => {
            content += chunk.toString();
          },
          end: () => void read.push({ path, content }),
        }));
        reader.write(Buffer.concat([bytes.subarray(start, end), endOfArchive]));
        expect(bytes.subarray(contentStart, contentStart + entry.size).toString()).toBe(content);
      }
      expect(read).toEqual(entries);
    }),
  );
});
