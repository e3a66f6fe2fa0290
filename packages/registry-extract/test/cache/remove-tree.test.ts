import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeTree } from "../../src/cache/remove-tree.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";

test("a tree goes with all that is in it, and nothing that it links to", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "outside"), "");
  const tree = join(directory, "tree");
  mkdirSync(join(tree, "closed/inside/deep"), { recursive: true });
  for (let number = 0; number < 100; number += 1) writeFileSync(join(tree, `closed/inside/${number}`), "");
  writeFileSync(Buffer.from(`${tree}/closed/\xff`, "latin1"), "");
  symlinkSync(directory, join(tree, "closed/link"));
  for (const path of ["closed/inside", "closed"]) chmodSync(join(tree, path), 0);
  await removeTree(tree);
  expect([existsSync(tree), existsSync(join(directory, "outside"))]).toEqual([false, true]);
  await removeTree(tree);
});
