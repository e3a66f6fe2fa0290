import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { readTar } from "@anyproc/core/tar";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archive } from "./archive.ts";

const bytes = archive([
  { path: "first", content: "x".repeat(700) },
  { path: "directory/" },
  { path: `${"long/".repeat(40)}second`, content: "y".repeat(1500) },
]);

function streamOf(data: Uint8Array, pieceBytes = data.length): Readable {
  const pieces = Array.from({ length: Math.ceil(data.length / pieceBytes) }, (_, index) =>
    data.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  return Readable.from(pieces, { objectMode: false });
}

describe("readTar", () => {
  test.each([1, 7, 511, 512, 513, 4096, bytes.length])(
    "takes an archive apart that comes in pieces of %i bytes",
    async (pieceBytes) => {
      const found: [path: string, content: string][] = [];
      for await (const { entry, content } of readTar(streamOf(bytes, pieceBytes))) {
        let text = "";
        for await (const { data, position } of content) {
          expect(position).toBe(text.length);
          text += data.toString();
        }
        found.push([entry.path, text]);
      }
      expect(found).toEqual([
        ["first", "x".repeat(700)],
        ["directory/", ""],
        [`${"long/".repeat(40)}second`, "y".repeat(1500)],
      ]);
    },
  );

  test("passes over content that nobody reads, or reads to its end", async () => {
    const paths: string[] = [];
    for await (const { entry, content } of readTar(streamOf(bytes, 100))) {
      paths.push(entry.path);
      for await (const _piece of content) break;
    }
    expect(paths).toHaveLength(3);
  });

  test("reads on after the end mark, so that who writes can finish", async () => {
    const source = new PassThrough({ highWaterMark: 16 });
    source.end(Buffer.concat([bytes, Buffer.alloc(100_000)]));
    for await (const _entry of readTar(source));
    expect(source.readableEnded).toBe(true);
  });

  test("lets go of the stream when nobody wants more", async () => {
    const source = new PassThrough();
    source.write(bytes.subarray(0, 1024));
    for await (const _entry of readTar(source)) break;
    if (!source.closed) await once(source, "close");
    expect(source.destroyed).toBe(true);
  });

  test("gives what comes before the damage, then says what it is", async () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(1, 1536, 2048);
    const paths: string[] = [];
    const reading = (async () => {
      for await (const { entry } of readTar(streamOf(damaged))) paths.push(entry.path);
    })();
    await expect(reading).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
    expect(paths).toEqual(["first"]);
  });

  test("passes the stream's own failure on, in the middle of content too", async () => {
    const failure = new Error("connection lost");
    const source = new PassThrough();
    source.write(bytes.subarray(0, 600));
    const reading = (async () => {
      for await (const { content } of readTar(source)) {
        for await (const _piece of content) source.destroy(failure);
      }
    })();
    await expect(reading).rejects.toBe(failure);
  });

  test.each([
    ["nothing at all", Buffer.alloc(0), /end mark/],
    ["an archive without an end mark", bytes.subarray(0, bytes.length - 1024), /end mark/],
    ["a compressed archive", gzipSync(randomBytes(4096)), /gzip.*decompress/],
  ])("refuses %s", async (_, data, message) => {
    const reading = (async () => {
      for await (const _entry of readTar(streamOf(data)));
    })();
    await expect(reading).rejects.toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
      message: expect.stringMatching(message),
    });
  });

  test("refuses a stream of text, as setEncoding() makes one", async () => {
    const text = Readable.from([bytes]).setEncoding("utf8");
    await expect(readTar(text).next()).rejects.toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
      message: expect.stringContaining("setEncoding"),
    });
  });

  test("has nothing to say of arbitrary bytes but that they are no archive", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (data) => {
        // A block of zeros is an archive without entries.
        fc.pre(data.subarray(0, 512).some((byte) => byte !== 0));
        const first = readTar(streamOf(data)).next();
        await expect(first).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
      }),
    ));
});
