import { forEachParallel } from "../files/sftp-request.ts";
import type { Plan } from "./plan.ts";
import { byDepth, stagingName } from "./tree.ts";
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
  await each(plan.open, (directory) => target.open(directory));
  await each(plan.removeFirst, (path) => target.remove(path));
  await each(plan.moves, ({ path }) => target.move(`${stagingName}/${path}`, path));
  await each(plan.remove, (path) => target.remove(path));
  for (const level of byDepth(plan.attributes)) await each(level, (entry) => target.setAttributes(entry, withOwner));
  await target.remove(stagingName);
}
