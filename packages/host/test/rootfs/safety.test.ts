import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAnyprocError } from "@anyproc/core";
import { openRootfs } from "@anyproc/host";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { archiveOf, type Sample, streamOf } from "./archive.ts";
import { snapshot } from "./tree-snapshot.ts";

interface Scene {
  readonly root: string;
  readonly canary: string;
}

/** A target directory, and beside it one that nothing may touch. */
async function scene(): Promise<Scene> {
  const base = await temporaryDirectory();
  const [root, canary] = [join(base, "root"), join(base, "canary")];
  await mkdir(root);
  await mkdir(join(canary, "directory"), { recursive: true });
  await writeFile(join(canary, "file"), "alive");
  await writeFile(join(canary, "directory", "file"), "alive");
  return { root, canary };
}

async function importSamples(root: string, samples: readonly Sample[]): Promise<unknown> {
  return openRootfs(root).importTar(streamOf(archiveOf(samples)));
}

const link = (name: string, linkPath: string): Sample => ({ path: name, type: "symlink", linkPath });
const hard = (name: string, linkPath: string): Sample => ({ path: name, type: "hardlink", linkPath });
const directory = (name: string, mode = 0o755): Sample => ({ path: name, type: "directory", mode });

describe("importTar refuses", () => {
  const refused: readonly (readonly [what: string, entries: readonly Sample[]])[] = [
    ["a name that climbs", [{ path: "../canary/new", content: "x" }]],
    ["a name that climbs later", [directory("a"), { path: "a/../../canary/new", content: "x" }]],
    ["a directory that climbs", [directory("../canary/directory", 0o777)]],
    ["a symlink to the outside", [link("out", "../canary")]],
    ["a symlink to the outside from deeper down", [directory("a"), link("a/out", "b/../../../canary")]],
    ["a hard link to the outside", [hard("stolen", "../canary/file")]],
    ["a file in place of the rootfs", [{ path: ".", content: "x" }]],
    ["symlinks in a circle", [link("a", "b"), link("b", "a"), { path: "a/file", content: "x" }]],
  ];
  for (const [what, entries] of refused) {
    test(what, async () => {
      const { root, canary } = await scene();
      const before = await snapshot(canary);
      await expect(importSamples(root, entries)).rejects.toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
      expect(await snapshot(canary)).toEqual(before);
    });
  }

  test("writing through a symlink that leads outside already", async () => {
    const { root, canary } = await scene();
    await symlink("../canary", join(root, "out"));
    const before = await snapshot(canary);
    await expect(importSamples(root, [{ path: "out/new", content: "x" }])).rejects.toMatchObject({
      code: "ANYPROC_UNSAFE_PATH",
    });
    expect(await snapshot(canary)).toEqual(before);
  });
});

describe("importTar keeps inside", () => {
  test("what is written through an absolute symlink", async () => {
    const { root, canary } = await scene();
    const before = await snapshot(canary);
    await importSamples(root, [link("out", canary), { path: "out/new", content: "inside" }]);
    expect(await snapshot(canary)).toEqual(before);
    expect(await readFile(join(root, canary, "new"), "utf8")).toBe("inside");
  });

  test("an absolute name", async () => {
    const { root, canary } = await scene();
    await importSamples(root, [{ path: `${canary}/new`, content: "inside" }]);
    expect(await readdir(canary)).toEqual(["directory", "file"]);
    expect(await readFile(join(root, canary, "new"), "utf8")).toBe("inside");
  });

  test("the mode of a directory that became a symlink", async () => {
    const { root, canary } = await scene();
    const before = await snapshot(canary);
    await importSamples(root, [
      directory("a"),
      directory("a/directory", 0o777),
      { path: "a", content: "a file for a moment" },
      link("a", canary),
    ]);
    expect(await snapshot(canary)).toEqual(before);
  });

  test("the mode and content of a file that a symlink's name is taken for", async () => {
    const { root, canary } = await scene();
    const before = await snapshot(canary);
    await importSamples(root, [link("a", `${canary}/file`), { path: "a", content: "x", mode: 0o777 }]);
    expect(await snapshot(canary)).toEqual(before);
  });

  test("a hard link to a symlink: what follows replaces it", async () => {
    const { root, canary } = await scene();
    const before = await snapshot(canary);
    await importSamples(root, [link("a", `${canary}/file`), hard("b", "a"), { path: "b", content: "x" }]);
    expect(await snapshot(canary)).toEqual(before);
    expect(await readFile(join(root, "b"), "utf8")).toBe("x");
  });
});

test("no archive whatever touches what is beside the rootfs", async () => {
  const component = fc.constantFrom("a", "b", "c", "..", ".", "", "canary", "file", "directory");
  const name = fc.array(component, { minLength: 1, maxLength: 5 }).map((components) => components.join("/"));
  const type = fc.constantFrom<NonNullable<Sample["type"]>>("file", "directory", "symlink", "hardlink");

  const { root: outer, canary } = await scene();
  const before = await snapshot(canary);
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          path: name,
          type,
          linkPath: fc.oneof(
            name,
            name.map((rest) => `${canary}/${rest}`),
          ),
          content: fc.constant("x"),
        }),
        { minLength: 1, maxLength: 10 },
      ),
      async (samples) => {
        // Beside the canary, so that a name that climbs once would meet it.
        count += 1;
        const root = join(outer, "..", `root${count}`);
        await mkdir(root);
        const entries = samples.map((sample) => ({
          ...sample,
          content: sample.type === "file" ? sample.content : "",
          mode: 0o777,
        }));
        const outcome = await importSamples(root, entries).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(isAnyprocError(outcome), String(outcome.stack)).toBe(true);
        expect(await snapshot(canary)).toEqual(before);
      },
    ),
    { numRuns: 300 },
  );
});
