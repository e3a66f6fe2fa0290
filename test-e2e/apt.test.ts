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

const ownedByOthers = [
  "/usr/bin/crontab",
  "/var/spool/cron/crontabs",
  "/var/lib/apt/lists/partial",
  "/var/cache/apt/archives/partial",
  "/var/log/apt/term.log",
];

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
  const sets = ["jq cron", ...(mode === asOrdinaryUser ? ["git python3-venv build-essential"] : [])];

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

  test("gives files to whom they belong", async () => {
    const trial = { argv: ["stat", "-c", "%U:%G %a %n", ...ownedByOthers] };
    const inChroot = await runInChroot(trees.chroot, trial);
    expect(inChroot.stdout).toMatch(/:crontab .*\n.*:crontab .*\n_apt:.*\n_apt:.*\n.*:adm /);
    expectSame(await runInGuest(product, mode, trees.guest, trial), inChroot);
  });
});
