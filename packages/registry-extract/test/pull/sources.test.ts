import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { inspectImage, pullImage } from "../../src/index.ts";
import { archive, type EntryInput } from "../fixtures/archive.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { hasProgram } from "../fixtures/programs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { listFiles } from "../fixtures/tree.ts";

const hasSkopeo = hasProgram("skopeo");
const hasZstd = hasProgram("zstd");
const layers: EntryInput[][] = [
  [
    { path: "a", content: "a" },
    { path: "b", content: "b" },
  ],
  [{ path: "dir/c", content: "c" }, { path: ".wh.b" }],
];
const files = { a: "a", "dir/": "", "dir/c": "c" };

let directory: string;
let counter = 0;
beforeEach(() => {
  directory = temporaryDirectory();
});

async function pulled(reference: string): Promise<Record<string, string>> {
  counter += 1;
  const target = join(directory, `target-${counter}`);
  await pullImage(reference, target, { cacheDirectory: join(directory, "cache") });
  return listFiles(target);
}

/** zstd(1), with the frames that zstd:chunked has: several, and some that are to be skipped. */
function zstd(bytes: Buffer): Buffer {
  const half = Math.floor(bytes.length / 2);
  const compress = (part: Buffer): Buffer => execFileSync("zstd", ["-q", "-c"], { input: part });
  const skippable = Buffer.concat([Buffer.from("502a4d1804000000", "hex"), Buffer.from("skip")]);
  return Buffer.concat([compress(bytes.subarray(0, half)), skippable, compress(bytes.subarray(half)), skippable]);
}

describe("an OCI layout", () => {
  test("directory, by tag or alone", async () => {
    const layout = join(directory, "layout");
    writeLayout(layout, { one: makeImage(layers) });
    expect(await pulled(`oci:${layout}:one`)).toEqual(files);
    expect(await pulled(layout)).toEqual(files);
    await expect(pulled(`oci:${layout}:two`)).rejects.toThrowError(/no such image: there is one/);
  });

  test("of several images wants a choice", async () => {
    const layout = join(directory, "layout");
    writeLayout(layout, { one: makeImage(layers), two: makeImage([[{ path: "x", content: "x" }]]) });
    await expect(pulled(`oci:${layout}`)).rejects.toThrowError(/several images: one, two/);
    expect(await pulled(`oci:${layout}:two`)).toEqual({ x: "x" });
  });

  test("in an archive, compressed or not", async () => {
    const layout = join(directory, "layout");
    writeLayout(layout, { one: makeImage(layers) });
    const file = join(directory, "archive.tar");
    execFileSync("tar", ["-C", layout, "-cf", file, "blobs", "oci-layout", "index.json"]);
    expect(await pulled(`oci-archive:${file}:one`)).toEqual(files);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    expect(await pulled(`${file}.gz`)).toEqual(files);
  });

  test("in a compressed archive that unpacks to more than it may is refused, and leaves nothing", async () => {
    const bomb = join(directory, "bomb.tar.gz");
    writeFileSync(
      bomb,
      gzipSync(
        archive([
          { path: "oci-layout", content: "{}" },
          { path: "zeros", content: Buffer.alloc(1_000_000) },
        ]),
      ),
    );
    const cacheDirectory = join(directory, "cache");
    await expect(
      pullImage(bomb, join(directory, "target"), { cacheDirectory, maxBytes: 500_000 }),
    ).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_LIMIT",
      message: expect.stringContaining("maxBytes"),
    });
    expect(readdirSync(join(cacheDirectory, "partial"))).toEqual([]);
  });

  test("with a config that takes much more memory than it has bytes is refused, and so is one that is longer than it says", async () => {
    const layout = join(directory, "layout");
    const config = { Labels: Array.from({ length: 200_000 }, () => ({})) };
    writeLayout(layout, { latest: makeImage(layers, { config }) });
    await expect(pulled(layout)).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_LIMIT",
      message: expect.stringContaining("image config: has more than 100000 values"),
    });

    const image = makeImage(layers);
    writeLayout(join(directory, "long"), { latest: image });
    const { config: descriptor } = JSON.parse((image.blobs.get(image.root.digest) as Buffer).toString());
    writeFileSync(join(directory, "long/blobs/sha256", descriptor.digest.slice(7)), Buffer.alloc(5_000_000));
    await expect(pulled(join(directory, "long"))).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_LIMIT",
      message: expect.stringContaining("has 5000000 bytes"),
    });
  });

  test("with a blob that is missing, short or damaged is refused", async () => {
    const image = makeImage(layers);
    const [digest, bytes] = [...image.blobs].find(([key]) => key === image.layers[0]?.digest) as [string, Buffer];
    const layout = join(directory, "layout");
    writeLayout(layout, { one: image });
    const path = join(layout, "blobs/sha256", digest.slice(7));
    writeFileSync(path, bytes.subarray(0, 10));
    await expect(pulled(layout)).rejects.toMatchObject({ code: "ANYPROC_DIGEST_MISMATCH" });
    writeFileSync(path, Buffer.alloc(bytes.length));
    await expect(pulled(layout)).rejects.toMatchObject({ code: "ANYPROC_DIGEST_MISMATCH" });
    execFileSync("rm", [path]);
    await expect(pulled(layout)).rejects.toMatchObject({ code: "ANYPROC_IMAGE_INVALID" });
  });
});

describe.skipIf(!hasSkopeo)("archives that skopeo makes", () => {
  test.each(["docker-archive", "oci-archive"])("%s, compressed or not", async (kind) => {
    const layout = join(directory, "layout");
    writeLayout(layout, { one: makeImage(layers, { config: { Cmd: ["x"] } }) });
    const file = join(directory, "image.tar");
    execFileSync("skopeo", ["copy", "-q", `oci:${layout}:one`, `${kind}:${file}:team/tool:1`], { stdio: "pipe" });
    expect(await pulled(file)).toEqual(files);
    expect(await pulled(`${kind}:${file}:team/tool:1`)).toEqual(files);
    await expect(pulled(`${kind}:${file}:other`)).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    expect(await pulled(`${file}.gz`)).toEqual(files);
    const { config } = await inspectImage(file, { cacheDirectory: join(directory, "cache") });
    expect(config.cmd).toEqual(["x"]);
  });
});

describe("a plain archive of a root filesystem", () => {
  const plain = archive([{ path: "./" }, ...(layers[0] as EntryInput[])]);

  const compressions: [string, (bytes: Buffer) => Buffer][] = [
    ["uncompressed", (bytes) => bytes],
    ["gzip", (bytes) => gzipSync(bytes)],
  ];
  if (hasZstd) compressions.push(["zstd", zstd]);
  test.each(compressions)("%s", async (_, compress) => {
    const file = join(directory, "rootfs.tar");
    writeFileSync(file, compress(plain));
    expect(await pulled(file)).toEqual({ a: "a", b: "b" });
    expect(await pulled(`tar:${file}`)).toEqual({ a: "a", b: "b" });
  });

  test("what is none is refused in one sentence", async () => {
    const file = join(directory, "text");
    writeFileSync(file, "x".repeat(1000));
    await expect(pulled(file)).rejects.toThrowError(/not a tar archive/);
    writeFileSync(file, "short");
    await expect(pulled(file)).rejects.toThrowError(/too short|not a tar/);
    await expect(pulled(join(directory, "missing"))).rejects.toThrowError(/no such file or directory/);
  });
});

test.skipIf(!hasZstd)("layers may be compressed each in its own way", async () => {
  const mixed = makeImage([...layers, [{ path: "d", content: "d" }]], {
    compress: (layer, index) => [(bytes: Buffer) => bytes, gzipSync, zstd][index]?.(layer) as Buffer,
  });
  const layout = join(directory, "layout");
  writeLayout(layout, { mixed });
  expect(await pulled(layout)).toEqual({ ...files, d: "d" });
});

test.skipIf(!hasZstd)("zstd data that is damaged or cut short is refused", async () => {
  const { applyTo } = await import("../fixtures/apply.ts");
  const good = zstd(archive([{ path: "a", content: "x".repeat(300_000) }]));
  const wrong = Buffer.from(good);
  wrong.fill(0xff, 20, 40);
  for (const bytes of [wrong, good.subarray(0, 30)]) {
    await expect(applyTo(temporaryDirectory(), [bytes])).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
  }
});
