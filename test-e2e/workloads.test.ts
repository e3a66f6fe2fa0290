import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { aptInstall, shareNameservers, toolPackages } from "./setup/apt.ts";
import { modes } from "./setup/modes.ts";
import type { Product } from "./setup/product.ts";
import { type Outcome, prepare, realPath } from "./setup/run.ts";
import { expectSame, runInChroot, runInGuest } from "./setup/sides.ts";
import { temporaryDirectory, unpackAs } from "./setup/trees.ts";

const product = inject("product") as Product;
const archive = inject("archive") as string;

const [asRoot] = modes;
const workloads = globSync("workloads/*.sh", { cwd: import.meta.dirname }).sort();

/** Real programs, installed by apt-get in the guest, do in every mode what they do under chroot(2). */
describe.skipIf(!product)("workloads", () => {
  const trees = { root: "", "ordinary user": "" };
  const expected = new Map<string, Outcome>();

  beforeAll(async () => {
    const { directory, remove } = temporaryDirectory();
    trees.root = join(directory, "root");
    unpackAs("root", archive, trees.root);
    shareNameservers(trees.root);
    const installed = await runInGuest(product, asRoot, trees.root, { argv: aptInstall(toolPackages) });
    expect(installed.ended, installed.stderr).toBe(0);
    addPrograms(trees.root);
    const packed = join(directory, "packed.tar");
    prepare(["tar", "-C", trees.root, "--exclude=./var/lib/apt/lists/*", "-cf", packed, "."]);
    trees["ordinary user"] = join(directory, "user");
    unpackAs("ordinary user", packed, trees["ordinary user"]);
    rmSync(packed);
    return remove;
  }, 600_000);

  describe.each(modes)("as $name", (mode) => {
    test.for(workloads)("%s", async (path) => {
      const text = readFileSync(join(import.meta.dirname, path), "utf8");
      const trial = { argv: ["bash", "-c", `mkdir /work && cd /work\n${text}`, basename(path)] };
      // They write nowhere else, so one run under chroot(2) serves all modes.
      const inChroot = expected.get(path) ?? (await runInChroot(trees.root, trial));
      expected.set(path, inChroot);
      expectSame(await runInGuest(product, mode, trees[mode.person], trial), inChroot);
    });
  });
});

/** What Debian has, but too large or too old, comes from this machine. */
function addPrograms(tree: string): void {
  mkdirSync(join(tree, "opt/node/bin"), { recursive: true });
  copyFileSync(process.execPath, join(tree, "opt/node/bin/node"));
  prepare(["cp", "-r", join(realPath("npm"), "../.."), join(tree, "opt/npm")]);
  copyFileSync(realPath("qemu-x86_64-static"), join(tree, "opt/qemu-x86_64-static"));
}
