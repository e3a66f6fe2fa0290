import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type PulledImage, pruneCache, pullImage } from "../../src/index.ts";
import { loadNativeFiles } from "../../src/layers/native-files.ts";
import type { EntryInput } from "../fixtures/archive.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree, listFiles } from "../fixtures/tree.ts";

const layers: EntryInput[][] = [
  [
    { path: "./", mode: 0o755 },
    { path: "keep", content: "k" },
    { path: "gone", content: "g" },
    { path: "hidden/", mode: 0o755 },
    { path: "hidden/a", content: "a" },
    { path: "again/", mode: 0o755 },
    { path: "again/old", content: "o" },
    { path: "linked", content: "l", mode: 0o600 },
    { path: "link", type: "symlink", linkPath: "keep" },
    { path: "sub/", mode: 0o750 },
    { path: "sub/x", content: "x" },
  ],
  [
    { path: "./", mode: 0o755 },
    { path: ".wh.gone" },
    { path: "hidden/", mode: 0o755 },
    { path: "hidden/.wh..wh..opq" },
    { path: "hidden/b", content: "b" },
    { path: ".wh.again" },
    { path: "again/", mode: 0o711 },
    { path: "again/new", content: "n" },
    { path: "link", content: "now a file" },
    { path: "sub/", mode: 0o700 },
    { path: "sub/.wh.x" },
  ],
  [
    { path: "./", mode: 0o755 },
    { path: "second-name", type: "hardlink", linkPath: "linked", mode: 0o600 },
    { path: "second-link", type: "hardlink", linkPath: "link" },
  ],
];

interface Stack {
  readonly directory: string;
  readonly cacheDirectory: string;
  readonly reference: string;
  readonly pulled: PulledImage;
}

async function pullStack(content = layers): Promise<Stack> {
  const directory = temporaryDirectory();
  writeLayout(join(directory, "layout"), { image: makeImage(content) });
  const cacheDirectory = join(directory, "cache");
  const reference = `oci:${join(directory, "layout")}`;
  const pulled = await pullImage(reference, join(directory, "stack"), { cacheDirectory, layers: "stacked" });
  return { directory, cacheDirectory, reference, pulled };
}

describe("layers by themselves", () => {
  test("lie in order, with whiteouts, and the directory is empty", async () => {
    const { pulled } = await pullStack();
    expect(readdirSync(pulled.directory)).toEqual([]);
    expect(pulled.layers?.length).toBe(3);
    const [first, second, third] = (pulled.layers ?? []).map(({ directory }) => directory) as [string, string, string];
    expect(listFiles(first)).toMatchObject({ keep: "k", gone: "g", "hidden/a": "a" });
    expect(readFileSync(join(second, "hidden/b"), "utf8")).toBe("b");
    expect(existsSync(join(second, "hidden/a"))).toBe(false);
    // A hard link into a lower layer has the content of its own.
    expect(listFiles(third)).toEqual({ "second-link": "now a file", "second-name": "l" });
  });

  const canMount = process.geteuid?.() === 0 && loadNativeFiles() !== undefined && process.platform === "linux";
  test.skipIf(!canMount)("stacked by overlayfs they are the tree that they are when flat", async () => {
    const { directory, pulled, reference, cacheDirectory } = await pullStack();
    const flat = join(directory, "flat");
    await pullImage(reference, flat, { cacheDirectory });
    const [merged, base] = ["merged", "base"].map((name) => join(directory, name)) as [string, string];
    for (const path of [merged, base]) mkdirSync(path);
    // overlayfs wants its upper layer on a file system of which we know that it can do everything.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", base]);
    onTestFinished(() => void spawnSync("umount", [base]));
    for (const path of ["upper", "work"]) mkdirSync(join(base, path));
    const lowers = (pulled.layers ?? [])
      .map((layer) => layer.directory)
      .reverse()
      .join(":");
    const options = `lowerdir=${lowers},upperdir=${join(base, "upper")},workdir=${join(base, "work")}`;
    const mounted = spawnSync("mount", ["-t", "overlay", "overlay", "-o", options, merged]);
    onTestFinished(() => void spawnSync("umount", [merged]));
    expect(mounted.stderr.toString()).toBe("");
    // Hard links between layers are copies here, and the root directory is that of the upper layer.
    const comparable = (root: string): string[] => {
      return describeTree(root)
        .slice(1)
        .map((line) => line.replace(/ same as (?:linked|link|nothing before)/, ""));
    };
    expect(comparable(merged)).toEqual(comparable(flat));
  });

  test("are unpacked once, and shared by every image that has them", async () => {
    const { directory, cacheDirectory, pulled } = await pullStack();
    const other = makeImage([...layers.slice(0, 2), [{ path: "other", content: "o" }]]);
    writeLayout(join(directory, "other"), { other });
    const second = await pullImage(`oci:${join(directory, "other")}`, join(directory, "second"), {
      cacheDirectory,
      layers: "stacked",
    });
    expect(second.layers?.slice(0, 2)).toEqual(pulled.layers?.slice(0, 2));
    expect(second.layers?.[2]).not.toEqual(pulled.layers?.[2]);
    expect(JSON.parse(readFileSync(`${second.directory}.image.json`, "utf8"))).toMatchObject({
      layers: second.layers?.map((layer) => layer.directory),
    });
  });

  test("stay while somebody uses them, and go when nobody does", async () => {
    const { cacheDirectory, pulled } = await pullStack();
    const [first] = pulled.layers ?? [];
    await pruneCache({ cacheDirectory });
    expect(existsSync(first?.directory as string)).toBe(true);
    rmSync(pulled.directory, { recursive: true });
    await pruneCache({ cacheDirectory });
    // This process may still be about to make the directory, as far as the note says.
    expect(existsSync(first?.directory as string)).toBe(true);
  });

  test("without the addon, whiteouts keep the names that they have in layers", async () => {
    const before = process.env["ANYPROC_FILES_ADDON"];
    process.env["ANYPROC_FILES_ADDON"] = "none";
    onTestFinished(() => {
      if (before === undefined) delete process.env["ANYPROC_FILES_ADDON"];
      else process.env["ANYPROC_FILES_ADDON"] = before;
    });
    const { pulled } = await pullStack();
    const [, second, third] = pulled.layers ?? [];
    expect(second?.whiteouts).toBe("names");
    expect(Object.keys(listFiles(second?.directory as string))).toEqual(
      expect.arrayContaining([".wh.gone", "hidden/.wh..wh..opq", "sub/.wh.x"]),
    );
    expect(listFiles(third?.directory as string)).toEqual({ "second-link": "now a file", "second-name": "l" });
  });
});

describe("pruning", () => {
  test("removes what was not used for longest, down to a limit", async () => {
    const { directory, cacheDirectory } = await pullStack([[{ path: "a", content: "x".repeat(10_000) }]]);
    rmSync(join(directory, "stack"), { recursive: true });
    const { keptBytes } = await pruneCache({ cacheDirectory, maxBytes: 1e9 });
    expect(keptBytes).toBeGreaterThan(10_000);
    const recent = await pruneCache({ cacheDirectory, unusedForMs: 60_000 });
    expect(recent.removedBytes).toBe(0);
  });
});
