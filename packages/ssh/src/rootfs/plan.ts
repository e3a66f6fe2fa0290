import { AnyprocError } from "@anyproc/core";
import { giveAway, isStrange, noteOwners, type Writer } from "./owners.ts";
import { type Losses, parentOf, type Tree, type TreeEntry } from "./tree.ts";

/** What may be kept on the target, and what the caller wants. */
export interface PlanOptions {
  /** Remove what the source does not have. */
  readonly delete: boolean;
  readonly writer: Writer;
  /** The transport makes fifos and devices. */
  readonly canMakeSpecial: boolean;
  /** The transport gives what is new its owner. */
  readonly keepsOwners: boolean;
  /** The transport gives new directories their mode and time. */
  readonly keepsDirectories: boolean;
  /** Paths of files that have the same content although their times differ, found by checksum. */
  readonly sameContent: ReadonlySet<string>;
  /** Paths of files whose content differs although size and time agree. */
  readonly differentContent: ReadonlySet<string>;
}

/** What has to be done to make a target like its source. */
export interface Plan {
  /** What has to be brought into the staging directory, parents first. */
  readonly stage: readonly TreeEntry[];
  /** What takes its place by one rename, since its parent is there: a file, a link, or a directory with all in it. */
  readonly moves: readonly TreeEntry[];
  /** Directories that forbid their owner what has to be done in them, until it is done. */
  readonly open: readonly TreeEntry[];
  /** What has to go before anything takes its place. */
  readonly removeFirst: readonly string[];
  /** What the source does not have; a directory stands for everything in it. */
  readonly remove: readonly string[];
  /** How many names go with that. */
  readonly removed: number;
  /** Attributes to set in the end. */
  readonly attributes: ReadonlySet<TreeEntry>;
  /** For each further name of a staged file, the name that carries the content. */
  readonly hardLinks: ReadonlyMap<string, string>;
  /** How many files are as they should be already. */
  readonly unchanged: number;
}

/**
 * Compares two trees.
 *
 * @throws ANYPROC_SYNC_CONFLICT when a directory with something in it would have to make way and `delete` is not set
 */
export function planSync(source: Tree, target: Tree, options: PlanOptions, losses: Losses): Plan {
  const canGiveAway = options.writer.uid === 0;
  const stage: TreeEntry[] = [];
  const moves: TreeEntry[] = [];
  const removeFirst: string[] = [];
  const attributes = new Set<TreeEntry>();
  const hardLinks = new Map<string, string>();
  /** Directories that the target does not have: what is in them comes with them. */
  const fresh = new Set<string>();
  /** Directories whose time changes when names in them come and go. */
  const touched = new Set<string>();
  const changedInodes = findChangedLinks(source, target, options);
  const carriers = new Map<string, string>();
  let unchanged = 0;
  const given: TreeEntry[] = [];

  for (const entry of source.values()) {
    if (!isRepresentable(entry, options, losses)) continue;
    if (!canGiveAway && isStrange(entry, options.writer)) given.push(entry);
    const old = target.get(entry.path);
    const parent = parentOf(entry.path);
    const isCarried = fresh.has(parent);

    if (entry.type === "directory") {
      if (old?.type === "directory" && !isCarried) {
        if (differsInAttributes(entry, old, canGiveAway)) attributes.add(entry);
        continue;
      }
      fresh.add(entry.path);
      // A directory without write permission could not be moved: that is taken away in the end.
      if (!options.keepsDirectories || (entry.mode & 0o700) !== 0o700) attributes.add(entry);
    } else if (old && !isCarried && isSame(entry, old, options, changedInodes)) {
      unchanged += 1;
      if (differsInAttributes(entry, old, canGiveAway)) attributes.add(entry);
      continue;
    }

    if (entry.inode !== undefined) {
      const carrier = carriers.get(entry.inode);
      if (carrier === undefined) carriers.set(entry.inode, entry.path);
      else hardLinks.set(entry.path, carrier);
    }
    stage.push(entry);
    if (canGiveAway && !options.keepsOwners) giveAway(entry, options.writer, attributes, losses);
    // tar makes symlinks last, and may forget to set the time of their directory again.
    if (isCarried && entry.type === "symlink") touched.add(parent);
    if (isCarried) continue;
    moves.push(entry);
    touched.add(parent);
    if (old && (old.type === "directory") !== (entry.type === "directory")) {
      checkReplaceable(entry, old, target, options);
      removeFirst.push(entry.path);
    }
  }

  noteOwners(given, options.writer, losses);
  const removals = options.delete ? listRemovals(source, target, removeFirst) : [];
  const remove = removals.filter((path) => parentOf(path) === "" || source.has(parentOf(path)));
  for (const path of remove) touched.add(parentOf(path));
  for (const path of touched) {
    const directory = source.get(path);
    if (directory) attributes.add(directory);
  }
  const emptied = new Set([...removals, ...removeFirst.flatMap((path) => [path, ...namesBelow(path, target)])]);
  const mustOpen = ({ path }: TreeEntry): boolean => touched.has(path) || emptied.has(path);
  const open = canGiveAway ? [] : [...target.values()].filter((entry) => isClosed(entry) && mustOpen(entry));
  return { stage, moves, open, removeFirst, remove, removed: removals.length, attributes, hardLinks, unchanged };
}

/** Nobody but root may make, rename or remove anything in such a directory: path_resolution(7), "Permissions". */
function isClosed({ type, mode }: TreeEntry): boolean {
  return type === "directory" && (mode & 0o300) !== 0o300;
}

/** Names of one file are sent together or not at all: only then can they be linked. */
function findChangedLinks(source: Tree, target: Tree, options: PlanOptions): Set<string> {
  const changed = new Set<string>();
  const targetInodes = new Map<string, string | undefined>();
  for (const entry of source.values()) {
    if (entry.inode === undefined) continue;
    const old = target.get(entry.path);
    const isFirst = !targetInodes.has(entry.inode);
    if (isFirst) targetInodes.set(entry.inode, old?.inode);
    const isLinkedAlike = targetInodes.get(entry.inode) === old?.inode;
    if (!old || !isSameContent(entry, old, options) || !isLinkedAlike) changed.add(entry.inode);
  }
  return changed;
}

function isSame(entry: TreeEntry, old: TreeEntry, options: PlanOptions, changedInodes: ReadonlySet<string>): boolean {
  if (entry.type !== old.type) return false;
  if (entry.type === "symlink") return entry.target === old.target;
  if (entry.type !== "file") return true;
  if (entry.inode !== undefined && changedInodes.has(entry.inode)) return false;
  return isSameContent(entry, old, options);
}

function isSameContent(entry: TreeEntry, old: TreeEntry, options: PlanOptions): boolean {
  if (entry.type !== old.type || entry.size !== old.size) return false;
  if (options.differentContent.has(entry.path)) return false;
  return entry.mtime === old.mtime || options.sameContent.has(entry.path);
}

function differsInAttributes(entry: TreeEntry, old: TreeEntry, canGiveAway: boolean): boolean {
  if (entry.type === "symlink") return false;
  if (entry.mode !== old.mode || entry.mtime !== old.mtime) return true;
  return canGiveAway && (entry.uid !== old.uid || entry.gid !== old.gid);
}

function isRepresentable(entry: TreeEntry, options: PlanOptions, losses: Losses): boolean {
  if (entry.type === "socket") {
    losses.add(entry.path, "socket", "sockets belong to the program that listens, so it was left out");
    return false;
  }
  if (entry.type.endsWith("device") && !(options.canMakeSpecial && options.writer.uid === 0)) {
    losses.add(entry.path, "device", "only root with tar on a server can make devices, so it was left out");
    return false;
  }
  if (entry.type === "fifo" && !options.canMakeSpecial) {
    losses.add(entry.path, "file type", "only tar on a server can make a fifo, so it was left out");
    return false;
  }
  return true;
}

function checkReplaceable(entry: TreeEntry, old: TreeEntry, target: Tree, options: PlanOptions): void {
  if (options.delete || namesBelow(old.path, target).length === 0) return;
  throw new AnyprocError(
    "ANYPROC_SYNC_CONFLICT",
    `${entry.path}: a ${entry.type} would replace a directory with something in it: set delete, or move it away`,
  );
}

function namesBelow(path: string, tree: Tree): string[] {
  return [...tree.keys()].filter((name) => name.startsWith(`${path}/`));
}

function listRemovals(source: Tree, target: Tree, removed: readonly string[]): string[] {
  return [...target.keys()].filter((path) => !source.has(path) && !removed.some((gone) => path.startsWith(`${gone}/`)));
}
