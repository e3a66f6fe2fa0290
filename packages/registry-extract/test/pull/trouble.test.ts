import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Descriptor, PullOptions } from "../../src/index.ts";
import { pullImage } from "../../src/index.ts";
import { makeImage } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { listFiles } from "../fixtures/tree.ts";
import { startTroubledRegistry, type Trouble } from "../fixtures/troubled-registry.ts";

// Bytes that cannot be compressed, so that the blob is as large.
const content = randomBytes(3_000_000).toString("latin1");
const image = makeImage([
  [{ path: "big", content: Buffer.from(content, "latin1") }],
  [{ path: "small", content: "s" }],
]);
const big = image.layers[0] as Descriptor;
const bytes = image.blobs.get(big.digest) as Buffer;
const isBig = ({ path }: { readonly path: string }): boolean => path.endsWith(big.digest);

async function pull(trouble: Trouble, options: PullOptions = {}) {
  const directory = temporaryDirectory();
  const registry = await startTroubledRegistry(image, trouble);
  const target = join(directory, "rootfs");
  const cacheDirectory = join(directory, "cache");
  const pulled = pullImage(`${registry.host}/image`, target, { cacheDirectory, retryDelayMs: 1, ...options });
  return { directory, target, cacheDirectory, registry, pulled };
}

function expectWhole(target: string): void {
  expect(listFiles(target)).toEqual({ big: content, small: "s" });
}

describe("a registry in trouble", () => {
  test("a broken connection is gone on with where it broke", async () => {
    const { target, registry, pulled } = await pull((request, response, count) => {
      if (!isBig(request) || count > 2) return false;
      const start = Number(/\d+/.exec(request.range ?? "")?.[0] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": bytes.length - start,
        ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
      });
      response.write(bytes.subarray(start, start + 1_000_000), () => response.destroy());
      return true;
    });
    await pulled;
    expectWhole(target);
    const ranges = registry.requests.filter(isBig).map(({ range }) => Number(/\d+/.exec(range ?? "")?.[0] ?? 0));
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBe(0);
    expect(ranges[2]).toBeGreaterThan(ranges[1] ?? 0);
  });

  test("a server that cannot resume sends everything again", async () => {
    const { target, pulled } = await pull((request, response, count) => {
      if (!isBig(request)) return false;
      response.writeHead(200, { "content-length": bytes.length });
      if (count === 1) response.write(bytes.subarray(0, 2_000_000), () => response.destroy());
      else response.end(bytes);
      return true;
    });
    await pulled;
    expectWhole(target);
  });

  test("503 and resets are tried again", async () => {
    const { target, registry, pulled } = await pull((_, response, count) => {
      if (count === 1) response.writeHead(503).end();
      else if (count === 2) response.destroy();
      else return false;
      return true;
    });
    await pulled;
    expectWhole(target);
    expect(registry.requests.filter(isBig).length).toBe(3);
  });

  test("a server that says nothing any more is given up, and asked again", async () => {
    const { target, pulled } = await pull(
      (request, response, count) => {
        if (!isBig(request) || count > 1) return false;
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 100_000));
        return true;
      },
      { idleTimeoutMs: 2000 },
    );
    await pulled;
    expectWhole(target);
  });

  test("429 waits as long as it is asked to", async () => {
    const { target, pulled } = await pull((_, response, count) => {
      if (count > 1) return false;
      response.writeHead(429, { "retry-after": "0" }).end();
      return true;
    });
    await pulled;
    expectWhole(target);
  });

  test("429 that asks for too long is explained", async () => {
    const { pulled } = await pull((request, response) => {
      if (!request.path.includes("manifests")) return false;
      response.writeHead(429, { "retry-after": "3600", "ratelimit-limit": "100;w=21600" }).end();
      return true;
    });
    await expect(pulled).rejects.toMatchObject({
      code: "ANYPROC_REGISTRY_RATE_LIMITED",
      message: expect.stringMatching(/100 in 6 hours.*wait 3600 s.*docker login.*mirror/),
    });
  });

  test("a registry that stays broken is told in one sentence, and nothing is left", async () => {
    const { target, directory, pulled } = await pull(
      (request, response) => {
        if (!isBig(request)) return false;
        response.destroy();
        return true;
      },
      { retries: 2 },
    );
    await expect(pulled).rejects.toMatchObject({ code: "ANYPROC_REGISTRY_UNREACHABLE" });
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(directory)).toEqual(["cache"]);
  });
});

describe("a registry that lies", () => {
  const lies: [string, Trouble][] = [
    [
      "about content",
      (request, response) => {
        if (!isBig(request)) return false;
        const wrong = Buffer.from(bytes);
        wrong[bytes.length - 100] = (wrong[bytes.length - 100] as number) ^ 1;
        response.end(wrong);
        return true;
      },
    ],
    [
      "about size, with more",
      (request, response) => {
        if (!isBig(request)) return false;
        response.end(Buffer.concat([bytes, bytes]));
        return true;
      },
    ],
    [
      "about a manifest",
      (request, response) => {
        if (!request.path.includes("/manifests/sha256:")) return false;
        response.end(image.blobs.get(image.root.digest)?.toString().replace("2", "2 "));
        return true;
      },
    ],
    [
      "about the config",
      (request, response) => {
        const config = [...image.blobs].find(([, blob]) => blob.includes("diff_ids"))?.[0] as string;
        if (!request.path.endsWith(config)) return false;
        response.end("{}");
        return true;
      },
    ],
  ];
  test.each(lies)("%s", async (_, trouble) => {
    const directory = temporaryDirectory();
    const registry = await startTroubledRegistry(image, trouble);
    const target = join(directory, "rootfs");
    await expect(
      pullImage(`${registry.host}/image@${image.root.digest}`, target, { cacheDirectory: join(directory, "cache") }),
    ).rejects.toMatchObject({ code: "ANYPROC_DIGEST_MISMATCH" });
    expect(readdirSync(directory).filter((name) => name !== "cache")).toEqual([]);
  });

  test("about the uncompressed layer: the image's own config is not believed", async () => {
    const liar = makeImage([[{ path: "a", content: "a" }]]);
    const [configDigest, config] = [...liar.blobs].find(([, blob]) => blob.includes("diff_ids")) as [string, Buffer];
    const { digestOf } = await import("../../src/image/digest.ts");
    const changed = Buffer.from(config.toString().replace(/sha256:[0-9a-f]{64}/, `sha256:${"0".repeat(64)}`));
    const manifest = Buffer.from(
      (liar.blobs.get(liar.root.digest) as Buffer).toString().replace(configDigest, digestOf(changed)),
    );
    liar.blobs.set(digestOf(changed), changed);
    liar.blobs.set(digestOf(manifest), manifest);
    const registry = await startTroubledRegistry({ ...liar, root: { ...liar.root, digest: digestOf(manifest) } });
    const directory = temporaryDirectory();
    await expect(
      pullImage(`${registry.host}/liar`, join(directory, "rootfs"), { cacheDirectory: join(directory, "cache") }),
    ).rejects.toMatchObject({ code: "ANYPROC_DIGEST_MISMATCH", message: expect.stringContaining("uncompressed") });
  });
});

describe("the cache", () => {
  test("is used without a network, and checked", async () => {
    const { directory, target, cacheDirectory, registry, pulled } = await pull(() => false);
    await pulled;
    const before = registry.requests.length;
    const again = join(directory, "again");
    await pullImage(`${registry.host}/image`, again, { cacheDirectory, offline: true, plainHttp: true });
    expect(registry.requests.length).toBe(before);
    expect(listFiles(again)).toEqual(listFiles(target));
    await expect(
      pullImage(`${registry.host}/other`, join(directory, "other"), { cacheDirectory, offline: true, plainHttp: true }),
    ).rejects.toMatchObject({ code: "ANYPROC_NOT_CACHED" });
  });

  test("a second pull asks for nothing but the tag's digest", async () => {
    const { directory, cacheDirectory, registry, pulled } = await pull(() => false, { plainHttp: true });
    await pulled;
    const before = registry.requests.length;
    await pullImage(`${registry.host}/image`, join(directory, "again"), { cacheDirectory, plainHttp: true });
    expect(registry.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD"]);
  });

  test("what was damaged in it is fetched again", async () => {
    const { directory, cacheDirectory, registry, pulled } = await pull(() => false);
    await pulled;
    const path = join(cacheDirectory, "blobs/sha256", big.digest.slice(7));
    const damaged = readFileSync(path);
    damaged.fill(0, 1000, 2000);
    writeFileSync(path, damaged);
    const again = join(directory, "again");
    await pullImage(`${registry.host}/image`, again, { cacheDirectory });
    expectWhole(again);
  });

  test("a download that was broken off is gone on with, and its damage is noticed", async () => {
    for (const isDamaged of [false, true]) {
      const directory = temporaryDirectory();
      const cacheDirectory = join(directory, "cache");
      const registry = await startTroubledRegistry(image, (request, response, count) => {
        if (!isBig(request) || count > 1) return false;
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 2_000_000), () => response.destroy());
        return true;
      });
      const options = { cacheDirectory, retries: 0 };
      await expect(pullImage(`${registry.host}/image`, join(directory, "first"), options)).rejects.toMatchObject({
        code: "ANYPROC_REGISTRY_UNREACHABLE",
      });
      const partials = readdirSync(join(cacheDirectory, "partial")).filter((name) =>
        name.startsWith(big.digest.slice(7)),
      );
      expect(partials.length).toBe(1);
      const left = join(cacheDirectory, "partial", partials[0] as string);
      const size = readFileSync(left).length;
      expect(size).toBeGreaterThan(0);
      if (isDamaged) writeFileSync(left, Buffer.alloc(size, "damage"));
      const target = join(directory, "second");
      await pullImage(`${registry.host}/image`, target, options);
      expectWhole(target);
      const ranges = registry.requests.filter(isBig).map(({ range }) => range);
      expect(ranges.slice(1)).toEqual(isDamaged ? [`bytes=${size}-`, undefined] : [`bytes=${size}-`]);
    }
  });
});

test("an abort ends a pull wherever it is, and leaves no directory", async () => {
  const controller = new AbortController();
  const { target, directory, pulled } = await pull(
    (request, response) => {
      if (!isBig(request)) return false;
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 100_000), () => controller.abort(new Error("enough")));
      return true;
    },
    { signal: controller.signal },
  );
  await expect(pulled).rejects.toThrowError("enough");
  expect(existsSync(target)).toBe(false);
  expect(readdirSync(directory)).toEqual(["cache"]);
});

test("a target that holds something is not touched", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "mine");
  const registry = await startTroubledRegistry(image);
  const options = { cacheDirectory: join(directory, "cache") };
  await expect(pullImage(`${registry.host}/image`, directory, options)).rejects.toMatchObject({
    code: "ANYPROC_TARGET_EXISTS",
  });
  expect(readFileSync(join(directory, "file"), "utf8")).toBe("mine");
});
