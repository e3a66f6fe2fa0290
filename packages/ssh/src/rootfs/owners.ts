import type { Losses, TreeEntry } from "./tree.ts";

/** Who writes on the target: 0 may give files away and make devices. Undefined: unknown. */
export interface Writer {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Whether an entry belongs to somebody else than whoever writes it. */
export function isStrange(entry: TreeEntry, writer: Writer): boolean {
  return writer.uid !== undefined && (entry.uid !== writer.uid || entry.gid !== writer.gid);
}

/** Told once for all of them: what one of them is not given, none is. */
export function noteOwners(given: readonly TreeEntry[], writer: Writer, losses: Losses): void {
  const [first] = given;
  if (!first) return;
  const all = given.length === 1 ? "it belongs" : `it and ${given.length - 1} more belong`;
  const owner = `${writer.uid}:${writer.gid} now, not to ${first.uid}:${first.gid}`;
  losses.add(first.path, "owner", `${all} to ${owner}: only root may give files away`);
}

/** Has the owner set in the end, where the transport does not. */
export function giveAway(entry: TreeEntry, writer: Writer, attributes: Set<TreeEntry>, losses: Losses): void {
  if (!isStrange(entry, writer)) return;
  if (entry.type !== "symlink") {
    attributes.add(entry);
    return;
  }
  const reason = `this symlink belongs to ${writer.uid}:${writer.gid} now: only tar on a server keeps a symlink's owner`;
  losses.add(entry.path, "owner", reason);
}
