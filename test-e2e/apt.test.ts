import { beforeAll, describe, expect, inject, test } from "vitest";
import { aptInstall, shareNameservers } from "./setup/apt.ts";
import { modes } from "./setup/modes.ts";
import type { Product } from "./setup/product.ts";
import { expectSame, runInChroot, runInGuest } from "./setup/sides.ts";
import { listTree } from "./setup/tree-list.ts";
import { makeTrees, type Trees, temporaryDirectory } from "./setup/trees.ts";

const product = inject("product") as Product;
const [, asOrdinaryUser] = modes;
const archive = inject("archive") as string;

/** What apt-get leaves behind in the guest is what it leaves behind under chroot(2). */
describe.skipIf(!product).each(modes)("apt-get as $name", (mode) => {
  let trees: Trees;

  beforeAll(() => {
    const { directory, remove } = temporaryDirectory();
    trees = makeTrees(archive, directory, mode.person);
    for (const tree of Object.values(trees)) shareNameservers(tree);
    return remove;
  });

  // The second is large: once is enough.
  const sets = ["jq", ...(mode === asOrdinaryUser ? ["git python3-venv build-essential"] : [])];

  test.for(sets)("installs %s", { timeout: 300_000 }, async (packages) => {
    const trial = { argv: aptInstall(packages.split(" ")) };
    const [inGuest, inChroot] = await Promise.all([
      runInGuest(product, mode, trees.guest, trial),
      runInChroot(trees.chroot, trial),
    ]);
    expect(inGuest.ended, inGuest.stdout + inGuest.stderr).toBe(0);
    expect(inChroot.ended, inChroot.stdout + inChroot.stderr).toBe(0);
    expectSame(await listTree(trees.guest, mode.person), await listTree(trees.chroot, mode.person));
  });
});
