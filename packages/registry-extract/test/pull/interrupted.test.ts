import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { removeTree } from "../../src/cache/remove-tree.ts";
import type { EntryInput } from "../fixtures/archive.ts";
import { makeImage } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree } from "../fixtures/tree.ts";
import { startTroubledRegistry, type Trouble, type TroubledRegistry } from "../fixtures/troubled-registry.ts";

const program = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/pull-program.js");

function files(layer: number): EntryInput[] {
  return Array.from({ length: 150 }, (_, index) => ({
    path: `layer-${layer}/directory-${index % 10}/file-${index}`,
    content: randomBytes(10_000),
    mode: index % 2 ? 0o644 : 0o4755,
  }));
}
const image = makeImage([files(0), [...files(1), { path: "layer-0/.wh.directory-3" }], files(2)]);

/** Sends layers at once up to a number of bytes, of all together, and from there on hardly anything. */
class SlowRegistry {
  #allowed = Number.POSITIVE_INFINITY;

  allow(bytes: number): void {
    this.#allowed = bytes;
  }

  readonly trouble: Trouble = ({ method, path, range }, response) => {
    const bytes = image.blobs.get(path.split("/").at(-1) ?? "");
    if (method !== "GET" || !path.includes("/blobs/") || !bytes || bytes.length < 100_000) return false;
    let at = Number(/\d+/.exec(range ?? "")?.[0] ?? 0);
    response.writeHead(at > 0 ? 206 : 200, {
      "content-length": bytes.length - at,
      ...(at > 0 && { "content-range": `bytes ${at}-${bytes.length - 1}/${bytes.length}` }),
    });
    const send = (): void => {
      if (response.destroyed) return;
      const isFast = this.#allowed > 0;
      const piece = bytes.subarray(at, at + (isFast ? 20_000 : 10));
      response.write(piece);
      at += piece.length;
      this.#allowed -= piece.length;
      if (at === bytes.length) response.end();
      // Often enough not to count as silent, and too seldom to come to an end.
      else setTimeout(send, isFast ? 0 : 20);
    };
    send();
    return true;
  };
}

interface Pull {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
}

function start(reference: string, target: string, cache: string): Pull {
  const child = spawn(process.execPath, [program, reference, target, cache], { stdio: ["ignore", "pipe", "inherit"] });
  return { child, exited: new Promise((resolve) => child.once("exit", resolve)) };
}

/** Waits for a line of the program that tells how far it is; it may end before. */
async function untilProgress({ child, exited }: Pull, count: number): Promise<void> {
  let seen = 0;
  const reached = new Promise<void>((resolve) => {
    child.stdout?.on("data", (text: Buffer) => {
      seen += text.toString().split("\n").length - 1;
      if (seen >= count) resolve();
    });
  });
  await Promise.race([reached, exited]);
}

/** Bytes of blobs that a cache has, finished or not; of several copies the longest one counts. */
function cachedBytes(cache: string): number {
  const sizes = new Map<string, number>();
  for (const name of existsSync(cache) ? readdirSync(cache, { recursive: true, encoding: "utf8" }) : []) {
    const [digest] = /[0-9a-f]{64}/.exec(basename(name)) ?? [];
    // What is finished is moved to its place.
    const size = statSync(join(cache, name), { throwIfNoEntry: false })?.size ?? 0;
    if (digest) sizes.set(digest, Math.max(size, sizes.get(digest) ?? 0));
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Waits until a pull has got on, or has ended. */
async function untilGrown(cache: string, { child }: Pull): Promise<void> {
  const before = cachedBytes(cache);
  while (cachedBytes(cache) <= before && child.exitCode === null) await delay(10);
}

describe("a pull that is killed and started again gives the same tree", () => {
  let directory: string;
  let registry: TroubledRegistry;
  let slow: SlowRegistry;
  let reference: string;
  let expected: unknown;
  let target: string;
  let cache: string;
  beforeEach(async () => {
    directory = temporaryDirectory();
    slow = new SlowRegistry();
    registry = await startTroubledRegistry(image, slow.trouble);
    reference = `${registry.host}/image`;
    const calm = join(directory, "calm");
    expect(await start(reference, calm, join(directory, "calm-cache")).exited).toBe(0);
    expected = describeTree(calm);
    target = join(directory, "target");
    cache = join(directory, "cache");
  });

  async function finish(): Promise<void> {
    slow.allow(Number.POSITIVE_INFINITY);
    expect(await start(reference, target, cache).exited).toBe(0);
    expect(describeTree(target)).toEqual(expected);
    expect(readdirSync(directory).sort()).toEqual(
      ["cache", "calm", "calm-cache", "calm.image.json", "target", "target.image.json", ...metadataFiles()].sort(),
    );
  }

  test("in the middle of a download, with what had come", async () => {
    for (let round = 0; round < 10; round += 1) {
      slow.allow(200_000);
      const pull = start(reference, target, cache);
      await untilGrown(cache, pull);
      pull.child.kill("SIGKILL");
      expect(await pull.exited).toBe(null);
      expect(existsSync(target)).toBe(false);
    }
    await finish();
    // What was there was not fetched again.
    expect(registry.requests.some(({ range }) => range !== undefined)).toBe(true);
  });

  test("at any moment", async () => {
    for (let round = 1; round <= 10; round += 1) {
      const pull = start(reference, target, cache);
      await untilProgress(pull, round);
      pull.child.kill("SIGKILL");
      await pull.exited;
      if (!existsSync(target)) continue;
      expect(describeTree(target)).toEqual(expected);
      await removeTree(target);
      await removeTree(cache);
    }
    await finish();
  });
});

function metadataFiles(): string[] {
  return process.geteuid?.() === 0 ? [] : ["calm.metadata", "target.metadata"];
}

test("several pulls at once on one cache each give the whole tree", async () => {
  const directory = temporaryDirectory();
  const registry = await startTroubledRegistry(image, new SlowRegistry().trouble);
  const reference = `${registry.host}/image`;
  const cache = join(directory, "cache");
  const targets = ["one", "two", "three"].map((name) => join(directory, name));
  const codes = await Promise.all(targets.map((target) => start(reference, target, cache).exited));
  expect(codes).toEqual([0, 0, 0]);
  const [first, ...others] = targets.map((target) => describeTree(target));
  for (const other of others) expect(other).toEqual(first);
});
