import { link, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Staging, Transport } from "./staging.ts";
import { parentOf, stagingName } from "./tree.ts";

/** Makes everything but files in this machine's staging directory, which needs no server; the transport brings those. */
export async function stageLocally(staging: Staging, transport: Transport): Promise<ReadonlySet<string>> {
  const place = (path: string): string => join(staging.localRoot, stagingName, path);
  const parents = new Set(staging.entries.map(({ path, type }) => (type === "directory" ? path : parentOf(path))));
  for (const path of parents) await mkdir(place(path), { recursive: true });
  for (const { path, type, target } of staging.entries) {
    if (type === "symlink") await symlink(target ?? "", place(path));
  }
  const changed = await transport(staging);
  for (const [path, carrier] of staging.hardLinks) {
    if (!changed.has(carrier)) await link(place(carrier), place(path));
  }
  return changed;
}
