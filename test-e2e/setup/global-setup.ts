import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { makePeople, type People } from "./sides.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Undefined where the comparison cannot run. */
    people: People | undefined;
  }
}

/** Makes the root filesystems and installs the product, in a directory that goes away afterwards. */
export function setup(project: TestProject): (() => void) | undefined {
  if (process.getuid?.() !== 0) {
    const reason = "the comparison with chroot(2) needs root";
    if (process.env["CI"]) throw new Error(reason);
    console.log(`Skipped: ${reason}.`);
    project.provide("people", undefined);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), "anyproc-e2e-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    chmodSync(directory, 0o755);
    project.provide("people", makePeople(directory));
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}
