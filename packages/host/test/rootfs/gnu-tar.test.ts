import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmod, link, mkdir, open, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRootfs } from "@anyproc/host";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { streamOf } from "./archive.ts";
import { snapshot } from "./tree-snapshot.ts";

const isThere = spawnSync("tar", ["--version"]).stdout?.toString().includes("GNU tar") ?? false;

async function sampleTree(): Promise<string> {
  const root = join(await temporaryDirectory(), "tree");
  const deep = join(root, "a".repeat(90), "b".repeat(90), "c".repeat(90));
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, "d".repeat(120)), "long");
  await writeFile(join(root, "größe"), "unicode");
  await symlink("t".repeat(150), join(root, "long link"));
  await writeFile(join(root, "file"), "content", { mode: 0o640 });
  await link(join(root, "file"), join(root, "linked"));
  await mkdir(join(root, "mode"));
  await chmod(join(root, "mode"), 0o1750);
  return root;
}

const withoutNanoseconds = (places: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(places).map(([name, text]) => [name, text.replace(/(\d+)\d{9} /, "$1 ")]));

describe.skipIf(!isThere)("GNU tar", () => {
  for (const format of ["posix", "gnu", "oldgnu"]) {
    test(`writes what importTar reads: --format=${format}`, async () => {
      const from = await sampleTree();
      const bytes = execFileSync("tar", [`--format=${format}`, "-C", from, "-c", "."], { maxBuffer: 2 ** 28 });
      const to = openRootfs(join(await temporaryDirectory(), "to"), { create: true });
      await to.importTar(streamOf(bytes));
      expect(withoutNanoseconds(await snapshot(to.directory))).toEqual(withoutNanoseconds(await snapshot(from)));
    });
  }

  for (const format of ["--format=gnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]) {
    test(`writes sparse files that importTar reads: ${format}`, async () => {
      const from = await temporaryDirectory();
      const file = await open(join(from, "sparse"), "w");
      for (let index = 0; index < 60; index += 1) await file.write(`data ${index}`, index * 1_000_000);
      await file.truncate(100_000_000);
      await file.close();
      const options = format.startsWith("--sparse-version") ? ["--format=posix", format] : [format];
      const bytes = execFileSync("tar", [...options, "--sparse", "-C", from, "-c", "sparse"], { maxBuffer: 2 ** 28 });
      expect(bytes.length).toBeLessThan(10_000_000);
      const to = openRootfs(await temporaryDirectory());
      await to.importTar(streamOf(bytes));
      const [before, after] = await Promise.all([from, to.directory].map((base) => readFile(join(base, "sparse"))));
      expect(after?.equals(before ?? Buffer.alloc(0))).toBe(true);
      expect((await stat(join(to.directory, "sparse"))).blocks).toBeLessThan(100_000);
    });
  }

  test("reads what exportTar writes", async () => {
    const from = await sampleTree();
    const to = await temporaryDirectory();
    const { tar, report } = openRootfs(from).exportTar();
    const child = spawn("tar", ["-C", to, "-xp"], { stdio: ["pipe", "inherit", "inherit"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    tar.pipe(child.stdin);
    expect(await ended).toBe(0);
    await report;
    expect(await snapshot(to)).toEqual(await snapshot(from));
  });
});
