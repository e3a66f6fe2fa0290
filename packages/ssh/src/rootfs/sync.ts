import { AnyprocError } from "@anyproc/core";
import { forEachParallel } from "../files/sftp-request.ts";
import { compareContent, findSameStarts } from "./checksums.ts";
import { commit } from "./commit.ts";
import type { ContinueFile } from "./continue-file.ts";
import type { Writer } from "./owners.ts";
import { type Plan, planSync } from "./plan.ts";
import type { RemoteDirectory } from "./remote-tree.ts";
import type { Staging, Transport } from "./staging.ts";
import { syncFailed } from "./sync-error.ts";
import type { SyncOptions, SyncProgress, SyncReport } from "./sync-options.ts";
import { Losses, parentOf, stagingName, type Tree, type TreeEntry } from "./tree.ts";
import type { TreeTarget } from "./tree-target.ts";

/** One direction of a sync. */
export interface SyncDirection {
  readonly remote: RemoteDirectory;
  readonly localRoot: string;
  readonly target: TreeTarget;
  readonly listSource: (losses: Losses) => Promise<Tree>;
  readonly listTarget: (losses: Losses) => Promise<Tree>;
  readonly writer: Writer;
  readonly canMakeSpecial: boolean;
  readonly keepsOwners: boolean;
  readonly keepsDirectories: boolean;
  readonly transportName: "tar" | "sftp";
  readonly transport: Transport;
  /** The directories on both sides by which a file's start, in the staging directory, and the whole of it are found. */
  readonly startsOn: { readonly remote: string; readonly local: string };
  readonly continueFile: ContinueFile;
}

// Files of which an interrupted sync has brought less begin again: that takes less than to compare.
const leastStartBytes = 1024 * 1024;
// Files that go on at once; each of them has many requests in flight.
const continuedAtOnce = 4;

/**
 * Makes a target directory like its source. Everything that is new waits in a staging directory inside the target until
 * all of it is there; a sync that is interrupted leaves it, and the next one finds it and sends only the rest.
 */
export async function sync(direction: SyncDirection, options: SyncOptions): Promise<SyncReport> {
  const { target, writer } = direction;
  const losses = new Losses();
  const progress = { phase: "compare" as SyncProgress["phase"], files: 0, totalFiles: 0, bytes: 0, totalBytes: 0 };
  const tell = (path?: string): void => options.onProgress?.({ ...progress, ...(path !== undefined && { path }) });
  try {
    tell();
    options.signal?.throwIfAborted();
    await target.makeDirectory("");
    const [listedSource, listedTarget] = await Promise.all([
      direction.listSource(losses),
      direction.listTarget(new Losses()),
    ]);
    const source = splitStaging(listedSource).tree;
    const { tree: present, staged } = splitStaging(listedTarget);
    // Through a symlink of that name, everything would go where it leads.
    if ((listedTarget.get(stagingName)?.type ?? "directory") !== "directory") await target.remove(stagingName);
    const content =
      options.compare === "checksum"
        ? await compareContent(direction.remote, direction.localRoot, source, present)
        : { same: new Set<string>(), different: new Set<string>() };
    const plan = planSync(
      source,
      present,
      {
        delete: options.delete ?? false,
        writer,
        canMakeSpecial: direction.canMakeSpecial,
        keepsOwners: direction.keepsOwners,
        keepsDirectories: direction.keepsDirectories,
        sameContent: content.same,
        differentContent: content.different,
      },
      losses,
    );
    const { reusable, starts } = await prepareStaging(direction, plan, staged);
    const entries = plan.stage.filter(({ path }) => !reusable.has(path));
    const files = entries.filter(({ type, path }) => type === "file" && !plan.hardLinks.has(path));
    progress.phase = "send";
    progress.totalFiles = files.length;
    progress.totalBytes = files.reduce((sum, { size, path }) => sum + size - (starts.get(path) ?? 0), 0);
    tell();

    const changed = await bring(direction, starts, {
      remote: direction.remote,
      localRoot: direction.localRoot,
      entries,
      hardLinks: plan.hardLinks,
      signal: options.signal,
      onFile: (entry, bytes = entry.size) => {
        progress.files += 1;
        progress.bytes += bytes;
        tell(entry.path);
      },
    });
    if (changed.size > 0) throw changedMeanwhile(changed);
    progress.phase = "finish";
    tell();
    // What went on in the middle went there by SFTP, which leaves owners to be set.
    const attributes = new Set([...plan.attributes, ...files.filter(({ path }) => starts.has(path))]);
    await commit(target, { ...plan, attributes }, writer.uid === 0, options.signal);
    return {
      entries: source.size,
      bytes: progress.bytes,
      losses: losses.list,
      lossCount: losses.count,
      transport: direction.transportName,
      sent: progress.files,
      unchanged: plan.unchanged,
      resumed: reusable.size,
      removed: plan.removed,
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw syncFailed(target.name, error);
  }
}

function splitStaging(listed: Tree): { tree: Map<string, TreeEntry>; staged: Map<string, TreeEntry> } {
  const tree = new Map<string, TreeEntry>();
  const staged = new Map<string, TreeEntry>();
  for (const [path, entry] of listed) {
    if (path.startsWith(`${stagingName}/`)) staged.set(path.slice(stagingName.length + 1), entry);
    else if (path !== stagingName) tree.set(path, entry);
  }
  return { tree, staged };
}

/** Brings what is missing in the staging directory. Returns the paths of files that changed meanwhile. */
async function bring(
  { continueFile, transport }: SyncDirection,
  starts: ReadonlyMap<string, number>,
  staging: Staging,
): Promise<ReadonlySet<string>> {
  const changed = new Set<string>();
  const continued = staging.entries.filter(({ path }) => starts.has(path));
  await forEachParallel(continued, continuedAtOnce, async (entry) => {
    staging.signal?.throwIfAborted();
    if (!(await continueFile(staging, entry, starts.get(entry.path) ?? 0))) changed.add(entry.path);
  });
  const entries = staging.entries.filter(({ path }) => !starts.has(path));
  if (entries.length > 0) for (const path of await transport({ ...staging, entries })) changed.add(path);
  return changed;
}

/**
 * Keeps what an interrupted sync has brought, and takes the rest away. Returns the paths of whole files, and for those
 * of which there is the start, how many bytes.
 */
async function prepareStaging(
  { target, remote, startsOn }: SyncDirection,
  plan: Plan,
  staged: Tree,
): Promise<{ reusable: Set<string>; starts: ReadonlyMap<string, number> }> {
  const wanted = new Map(plan.stage.map((entry) => [entry.path, entry]));
  const parents = new Set(plan.stage.map(({ path }) => parentOf(path)));
  const carriers = new Set(plan.hardLinks.values());
  const reusable = new Set<string>();
  const starts = new Map<string, number>();
  for (const [path, found] of staged) {
    const entry = wanted.get(path);
    const isLinked = plan.hardLinks.has(path) || carriers.has(path);
    if (!isLinked && entry?.type === "file" && isWhole(found, entry)) reusable.add(path);
    else if (!isLinked && entry?.type === "file" && isStart(found, entry)) starts.set(path, found.size);
    else if (found.type !== "directory" || !(entry?.type === "directory" || parents.has(path))) {
      await target.remove(`${stagingName}/${path}`);
    }
  }
  const same = await findSameStarts(remote, startsOn.remote, startsOn.local, starts);
  for (const path of starts.keys()) {
    if (same.has(path)) continue;
    starts.delete(path);
    await target.remove(`${stagingName}/${path}`);
  }
  // For nobody else: the directories in it do not forbid yet what those that the files are meant for do.
  if (plan.stage.length > 0) await target.makeDirectory(stagingName, 0o700);
  return { reusable, starts };
}

function isWhole(found: TreeEntry, entry: TreeEntry): boolean {
  return found.type === "file" && found.size === entry.size && found.mtime === entry.mtime;
}

/** What may be the start of a file, and can be written to. */
function isStart({ type, size, mode }: TreeEntry, entry: TreeEntry): boolean {
  return type === "file" && size >= leastStartBytes && size < entry.size && (mode & 0o200) !== 0;
}

function changedMeanwhile(paths: ReadonlySet<string>): AnyprocError {
  const [first] = paths;
  const others = paths.size > 1 ? ` and ${paths.size - 1} more` : "";
  return new AnyprocError(
    "ANYPROC_SYNC_FAILED",
    `${first}${others} changed while it was being read: nothing was put in place; run it again`,
  );
}
