import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import { openRootfs } from "@anyproc/host";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { archiveOf, streamOf } from "./archive.ts";

const whole = archiveOf([
  { path: "first", content: "x".repeat(700) },
  { path: `${"long/".repeat(40)}second`, content: "y".repeat(1500) },
]);

async function importBytes(bytes: Uint8Array, pieceSize?: number): Promise<unknown> {
  return openRootfs(await temporaryDirectory()).importTar(streamOf(bytes, pieceSize));
}

describe("importTar", () => {
  test("takes an archive apart wherever its pieces end", async () => {
    for (const pieceSize of [1, 7, 511, 512, 513, 4096]) {
      expect(await importBytes(whole, pieceSize)).toMatchObject({ entries: 2, bytes: 2200, losses: [] });
    }
  });

  test("refuses an archive that ends too early, wherever that is", async () => {
    const end = whole.length - 1024;
    for (let size = 0; size <= end; size += 128) {
      await expect(importBytes(whole.subarray(0, size)), `${size} bytes`).rejects.toMatchObject({
        code: "ANYPROC_ARCHIVE_INVALID",
      });
    }
  });

  test("refuses a damaged header, wherever the damage is", async () => {
    for (let at = 0; at < 500; at += 50) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      await expect(importBytes(damaged), `byte ${at}`).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
    }
  });

  test("says what to do with a compressed archive", () =>
    expect(importBytes(gzipSync(randomBytes(4096)))).rejects.toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
      message: expect.stringMatching(/gzip.*decompress/),
    }));

  test("refuses a hard link to nothing", () =>
    expect(importBytes(archiveOf([{ path: "link", type: "hardlink", linkPath: "missing" }]))).rejects.toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
      message: expect.stringContaining("missing"),
    }));

  test("passes on the failure of the stream that it reads", async () => {
    const failure = new Error("connection lost");
    const source = new PassThrough();
    source.write(whole.subarray(0, 600));
    const importing = openRootfs(await temporaryDirectory()).importTar(source);
    source.destroy(failure);
    await expect(importing).rejects.toBe(failure);
  });

  test("stops when it is aborted, with the reason, and lets go of the stream", async () => {
    const reason = new Error("changed my mind");
    const controller = new AbortController();
    const source = new PassThrough();
    source.write(whole.subarray(0, 1600));
    const root = await temporaryDirectory();
    const importing = openRootfs(root).importTar(source, { signal: controller.signal });
    controller.abort(reason);
    await expect(importing).rejects.toBe(reason);
    expect(source.destroyed).toBe(true);
  });

  test("does nothing when it is aborted already", async () => {
    const root = await temporaryDirectory();
    const reason = new Error("never mind");
    const importing = openRootfs(root).importTar(streamOf(whole), { signal: AbortSignal.abort(reason) });
    await expect(importing).rejects.toBe(reason);
    expect(await readdir(root)).toEqual([]);
  });
});

describe("exportTar", () => {
  test("stops when it is aborted, with the reason", async () => {
    const reason = new Error("changed my mind");
    const controller = new AbortController();
    const { tar, report } = openRootfs(await temporaryDirectory()).exportTar({ signal: controller.signal });
    tar.on("error", () => {});
    controller.abort(reason);
    await expect(report).rejects.toBe(reason);
  });

  test("says so when its stream is not read to the end", async () => {
    const { tar, report } = openRootfs(await temporaryDirectory()).exportTar();
    tar.destroy();
    await expect(report).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  });
});
