import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileRegion } from "../../src/files/file-region.ts";
import { mergeLayers } from "../../src/rootfs/merge-layers.ts";
import { archive, type EntryInput, entriesOf } from "./archive.ts";

/** What is seen of layers: contents by path, "/" for directories, targets of links. */
async function seen(layers: readonly (readonly EntryInput[])[]): Promise<Record<string, string>> {
  const directory = mkdtempSync(join(tmpdir(), "anyproc-layers-"));
  const bytes = layers.map(archive);
  writeFileSync(join(directory, "layers"), Buffer.concat(bytes));
  const file = await open(join(directory, "layers"));
  try {
    let offset = 0;
    const regions = bytes.map(({ length }) => {
      offset += length;
      return new FileRegion(file, offset - length, length);
    });
    const entries = await entriesOf(mergeLayers(regions));
    return Object.fromEntries(
      entries.map(({ path, type, content, linkPath }) => [
        path.replace(/\/$/, ""),
        type === "directory" ? "/" : type === "hardlink" ? `= ${linkPath}` : content,
      ]),
    );
  } finally {
    await file.close();
    rmSync(directory, { recursive: true });
  }
}

const file = (path: string, content: string): EntryInput => ({ path, content });
const link = (path: string, linkPath: string): EntryInput => ({ path, type: "hardlink", linkPath });

describe("layers on top of one another", () => {
  test("hide what whiteouts name, and nothing of their own", async () => {
    const lower = [{ path: "a/" }, file("a/x", "1"), file("a/y", "1"), file("b", "1")];
    const upper = [file("a/.wh.x", ""), file(".wh.b", ""), { path: "b/" }, file("b/new", "2")];
    expect(await seen([lower, upper])).toEqual({ a: "/", "a/y": "1", b: "/", "b/new": "2" });
  });

  test("hide what is in opaque directories, the root too", async () => {
    const lower = [{ path: "a/" }, file("a/x", "1"), file("b", "1")];
    expect(await seen([lower, [{ path: "a/" }, file("a/y", "2"), file("a/.wh..wh..opq", "")]])).toEqual({
      a: "/",
      "a/y": "2",
      b: "1",
    });
    expect(await seen([lower, [file(".wh..wh..opq", ""), file("c", "2")]])).toEqual({ c: "2" });
  });

  test("replace files by directories that only lie on the way", async () => {
    expect(await seen([[file("a", "1")], [file("a/b/c", "2")]])).toEqual({ "a/b/c": "2" });
  });

  test("keep what a link leads to when its other names are gone or replaced", async () => {
    const lower = [file("m", "old"), link("k", "m"), link("z", "./m"), link("y", "/z")];
    expect(await seen([lower, [file("m", "new")]])).toEqual({ k: "old", m: "new", y: "= k", z: "= k" });
    expect(await seen([lower, [file(".wh.k", "")]])).toEqual({ m: "old", y: "= m", z: "= m" });
    expect(await seen([lower, [link("from above", "m")]])).toMatchObject({ "from above": "old", m: "= from above" });
  });

  test("come as a walk would come by them, what is in a directory directly after it", async () => {
    const lower = [{ path: "a/" }, file("a/y", "1"), file("a/x", "1"), file("a-b", "1"), file("a.b", "1")];
    expect(Object.keys(await seen([lower, [file("a/m", "2")]]))).toEqual(["a", "a/m", "a/x", "a/y", "a-b", "a.b"]);
  });

  test.each([
    ["a link to nothing", [link("a", "b")], "ANYPROC_ARCHIVE_INVALID"],
    ["links in a circle", [link("a", "b"), link("b", "a")], "ANYPROC_ARCHIVE_INVALID"],
    ["a name that climbs", [file("a/../../b", "")], "ANYPROC_UNSAFE_PATH"],
    ["a link that climbs", [link("a", "../b")], "ANYPROC_UNSAFE_PATH"],
  ])("refuse %s", async (_, layer, code) => {
    await expect(seen([layer])).rejects.toMatchObject({ code });
  });

  test("are what they would be when applied one after the other", async () => {
    const name = fc.constantFrom("a", "b", "c");
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
    const change = fc.oneof(
      fc.record({ kind: fc.constant("file" as const), path }),
      fc.record({ kind: fc.constant("directory" as const), path }),
      fc.record({ kind: fc.constant("whiteout" as const), path }),
      fc.record({ kind: fc.constant("opaque" as const), path }),
    );
    type Change = { readonly kind: "file" | "directory" | "whiteout" | "opaque"; readonly path: string };

    /** Whatever a layer has at a path it has once, and nothing below files. */
    const isSound = (layer: readonly Change[]): boolean => {
      const made = layer.filter(({ kind }) => kind === "file" || kind === "directory");
      return made.every(
        ({ path: one }, index) =>
          !made.some(
            ({ kind, path: other }, at) =>
              at !== index && (one === other || (kind === "file" && one.startsWith(`${other}/`))),
          ),
      );
    };
    const layers = fc.array(fc.array(change, { maxLength: 6 }).filter(isSound), { minLength: 1, maxLength: 4 });

    function toEntry({ kind, path: at }: Change, layer: number): EntryInput {
      if (kind === "file") return file(at, `${layer}`);
      if (kind === "directory") return { path: `${at}/` };
      if (kind === "opaque") return file(`${at}/.wh..wh..opq`, "");
      return file(at.replace(/[^/]+$/, ".wh.$&"), "");
    }

    function applied(all: readonly (readonly Change[])[]): Record<string, string> {
      const tree = new Map<string, string>();
      const removeBelow = (at: string): void => {
        for (const each of [...tree.keys()]) if (each.startsWith(`${at}/`)) tree.delete(each);
      };
      for (const [number, layer] of all.entries()) {
        for (const { kind, path: at } of layer) {
          if (kind === "whiteout") tree.delete(at);
          if (kind === "whiteout" || kind === "opaque") removeBelow(at);
        }
        for (const { kind, path: at } of layer) {
          if (kind !== "file" && kind !== "directory") continue;
          for (let end = at.indexOf("/"); end > 0; end = at.indexOf("/", end + 1)) {
            // A directory that no layer describes is no entry of its own.
            if (tree.get(at.slice(0, end)) !== "/") tree.delete(at.slice(0, end));
          }
          if (kind === "file") removeBelow(at);
          tree.set(at, kind === "file" ? `${number}` : "/");
        }
      }
      return Object.fromEntries(tree);
    }

    await fc.assert(
      fc.asyncProperty(layers, async (all) => {
        const entries = all.map((layer, number) => layer.map((each) => toEntry(each, number)));
        expect(await seen(entries)).toEqual(applied(all));
      }),
      { numRuns: 300 },
    );
  });
});
