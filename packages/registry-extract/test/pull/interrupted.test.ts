import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { removeTree } from "../../src/cache/remove-tree.ts";
import type { EntryInput } from "../fixtures/archive.ts";
import { makeImage } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree } from "../fixtures/tree.ts";
import { startTroubledRegistry, type Trouble } from "../fixtures/troubled-registry.ts";

const program = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/pull-program.js");

function files(layer: number): EntryInput[] {
  return Array.from({ length: 150 }, (_, index) => ({
    path: `layer-${layer}/directory-${index % 10}/file-${index}`,
    content: randomBytes(10_000),
    mode: index % 2 ? 0o644 : 0o4755,
  }));
}
const image = makeImage([files(0), [...files(1), { path: "layer-0/.wh.directory-3" }], files(2)]);

/** A registry so slow that a pull can be caught in the middle. */
const slow: Trouble = ({ method, path, range }, response) => {
  const bytes = image.blobs.get(path.split("/").at(-1) ?? "");
  if (method !== "GET" || !path.includes("/blobs/") || !bytes || bytes.length < 100_000) return false;
  const start = Number(/\d+/.exec(range ?? "")?.[0] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, {
    "content-length": bytes.length - start,
    ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  });
  let at = start;
  const send = (): void => {
    if (response.destroyed) return;
    if (at >= bytes.length) {
      response.end();
      return;
    }
    response.write(bytes.subarray(at, at + 20_000));
    at += 20_000;
    setTimeout(send, 5);
  };
  send();
  return true;
};

function start(
  reference: string,
  target: string,
  cache: string,
): { readonly child: ChildProcess; readonly exited: Promise<number | null> } {
  const child = spawn(process.execPath, [program, reference, target, cache], { stdio: ["ignore", "pipe", "inherit"] });
  return { child, exited: new Promise((resolve) => child.once("exit", resolve)) };
}

test("killed at any moment and started again, a pull gives the same tree", async () => {
  const directory = temporaryDirectory();
  const registry = await startTroubledRegistry(image, slow);
  const reference = `${registry.host}/image`;
  const calm = join(directory, "calm");
  expect(await start(reference, calm, join(directory, "calm-cache")).exited).toBe(0);
  const expected = describeTree(calm);
  const target = join(directory, "target");
  const cache = join(directory, "cache");
  let killed = 0;
  for (let round = 0; round < 20; round += 1) {
    const { child, exited } = start(reference, target, cache);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await delay(Math.random() * 500);
    child.kill("SIGKILL");
    await exited;
    if (!existsSync(target)) {
      killed += 1;
      continue;
    }
    expect(describeTree(target)).toEqual(expected);
    await removeTree(target);
    await removeTree(cache);
  }
  expect(killed).toBeGreaterThan(0);
  expect(await start(reference, target, cache).exited).toBe(0);
  expect(describeTree(target)).toEqual(expected);
  // What was gone on with was not fetched again.
  expect(registry.requests.some(({ range }) => range !== undefined)).toBe(true);
  expect(readdirSync(directory).sort()).toEqual(
    ["cache", "calm", "calm-cache", "calm.image.json", "target", "target.image.json", ...metadataFiles()].sort(),
  );
});

function metadataFiles(): string[] {
  return process.geteuid?.() === 0 ? [] : ["calm.metadata", "target.metadata"];
}

test("several pulls at once on one cache each give the whole tree", async () => {
  const directory = temporaryDirectory();
  const registry = await startTroubledRegistry(image, slow);
  const reference = `${registry.host}/image`;
  const cache = join(directory, "cache");
  const targets = ["one", "two", "three"].map((name) => join(directory, name));
  const codes = await Promise.all(targets.map((target) => start(reference, target, cache).exited));
  expect(codes).toEqual([0, 0, 0]);
  const [first, ...others] = targets.map((target) => describeTree(target));
  for (const other of others) expect(other).toEqual(first);
});
