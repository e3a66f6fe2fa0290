import { forEachParallel } from "../files/sftp-request.ts";
import type { Plan } from "./plan.ts";
import { stagingName, type TreeEntry } from "./tree.ts";
import type { TreeTarget } from "./tree-target.ts";

// Requests about different names that are in flight at once.
const inFlight = 64;

/**
 * Puts what is staged in its places: each file by one rename, so that nobody ever sees half of one; then removes what
 * has to go, and sets what renames have changed.
 */
export async function commit(
  target: TreeTarget,
  plan: Plan,
  withOwner: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const each = <T>(items: Iterable<T>, action: (item: T) => Promise<void>): Promise<void> =>
    forEachParallel(items, inFlight, (item) => {
      signal?.throwIfAborted();
      return action(item);
    });
  await each(plan.removeFirst, (path) => target.remove(path));
  await each(plan.moves, ({ path }) => target.move(`${stagingName}/${path}`, path));
  await each(plan.remove, (path) => target.remove(path));
  // Deepest first: a directory may be about to lose the permissions by which its children are reached.
  for (const level of byDepth(plan.attributes)) await each(level, (entry) => target.setAttributes(entry, withOwner));
  await target.remove(stagingName);
}

function byDepth(entries: Iterable<TreeEntry>): TreeEntry[][] {
  const levels: TreeEntry[][] = [];
  for (const entry of entries) {
    const depth = entry.path.split("/").length;
    levels[depth] ??= [];
    levels[depth].push(entry);
  }
  return levels.filter((level) => level !== undefined).reverse();
}
