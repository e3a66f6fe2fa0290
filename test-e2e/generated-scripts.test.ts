import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, inject, test } from "vitest";
import { fileOperations, operationPrograms, operationScript } from "./setup/file-operations.ts";
import { as, modes, ordinaryUser } from "./setup/modes.ts";
import type { Product } from "./setup/product.ts";
import { prepare, run } from "./setup/run.ts";
import { cleanly, expectSame, runInGuest } from "./setup/sides.ts";
import { listTree } from "./setup/tree-list.ts";
import { temporaryDirectory, unpackAs } from "./setup/trees.ts";

const product = inject("product") as Product;
const archive = inject("archive") as string;

// A root filesystem with these programs and nothing else: the scripts may do to it whatever they like.
const collect = `mkdir -p /small/usr/bin /small/usr/lib /small/usr/lib64 && cp -a /bin /lib /lib64 /small && cd /
  for program; do
    file=$(command -v "$program") && cp --parents "$file" $(ldd "$file" | grep -o '/[^ ]*') /small || exit
  done`;

/** Scripts that nobody would write say the same, and leave the same behind, as under chroot(2). */
describe.skipIf(!product)("generated scripts", () => {
  let directory: string;
  let small: string;

  beforeAll(() => {
    const temporary = temporaryDirectory();
    directory = temporary.directory;
    const debian = join(directory, "debian");
    unpackAs("root", archive, debian);
    prepare(["chroot", debian, "sh", "-c", collect, "sh", ...operationPrograms]);
    small = join(debian, "small");
    return temporary.remove;
  });

  test.for(modes)("as $name", async (mode) => {
    const isRoot = mode.person === "root";
    // Both sides are the very same user here, and the guest sees nothing of the host.
    const options = { ...mode.options, defaultBinds: false, id: isRoot ? "root" : "host" };
    const user = isRoot ? [] : [`--userspec=${ordinaryUser.uid}:${ordinaryUser.gid}`, "--groups="];
    await fc.assert(
      fc.asyncProperty(fileOperations, async (operations) => {
        const [guest, chroot] = [join(directory, "guest"), join(directory, "chroot")];
        for (const tree of [guest, chroot]) {
          rmSync(tree, { recursive: true, force: true });
          prepare(["install", "-d", ...(isRoot ? [] : ["-o", String(ordinaryUser.uid)]), tree]);
          prepare([...as(mode.person, "/"), "cp", "-r", `${small}/.`, tree]);
        }
        const argv = ["bash", "-c", operationScript(operations)];
        const [inGuest, inChroot] = await Promise.all([
          runInGuest(product, { ...mode, options }, guest, { argv }),
          run(["chroot", ...user, chroot, ...cleanly, ...argv]),
        ]);
        expectSame(inGuest, inChroot);
        expectSame(await listTree(guest, "root"), await listTree(chroot, "root"));
      }),
      // What failed is in the message, with what came before; a shorter script would take long to find.
      { numRuns: 8, endOnFailure: true, includeErrorInReport: true },
    );
  });
});
