import type { TestProject } from "vitest/node";
import { debianArchive } from "./debian.ts";
import { installProduct, type Product } from "./product.ts";
import { temporaryDirectory } from "./trees.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Undefined where the comparison cannot run. */
    product: Product | undefined;
    /** A Debian root filesystem. */
    archive: string | undefined;
  }
}

/** Installs the product, in a directory that goes away afterwards, and makes sure of a Debian root filesystem. */
export function setup(project: TestProject): (() => void) | undefined {
  if (process.getuid?.() !== 0) {
    const reason = "the comparison with chroot(2) needs root";
    if (process.env["CI"]) throw new Error(reason);
    console.log(`Skipped: ${reason}.`);
    project.provide("product", undefined);
    project.provide("archive", undefined);
    return undefined;
  }
  const { directory, remove } = temporaryDirectory();
  try {
    project.provide("archive", debianArchive());
    project.provide("product", installProduct(directory));
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}
