import { AnyprocError } from "@anyproc/core";
import { compareContent } from "./checksums.ts";
import { commit } from "./commit.ts";
import type { Writer } from "./owners.ts";
import { type Plan, planSync } from "./plan.ts";
import type { RemoteDirectory } from "./remote-tree.ts";
import type { Transport } from "./staging.ts";
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
}

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
    const reusable = await prepareStaging(target, plan, staged);
    const entries = plan.stage.filter(({ path }) => !reusable.has(path));
    const files = entries.filter(({ type, path }) => type === "file" && !plan.hardLinks.has(path));
    progress.phase = "send";
    progress.totalFiles = files.length;
    progress.totalBytes = files.reduce((sum, { size }) => sum + size, 0);
    tell();

    let changed: ReadonlySet<string> = new Set();
    if (entries.length > 0) {
      changed = await direction.transport({
        remote: direction.remote,
        localRoot: direction.localRoot,
        entries,
        hardLinks: plan.hardLinks,
        signal: options.signal,
        onFile: (entry) => {
          progress.files += 1;
          progress.bytes += entry.size;
          tell(entry.path);
        },
      });
    }
    if (changed.size > 0) throw changedMeanwhile(changed);
    progress.phase = "finish";
    tell();
    await commit(target, plan, writer.uid === 0, options.signal);
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

/** Keeps what an interrupted sync has brought completely, and takes the rest away. Returns the paths that are there. */
async function prepareStaging(target: TreeTarget, plan: Plan, staged: Tree): Promise<Set<string>> {
  const wanted = new Map(plan.stage.map((entry) => [entry.path, entry]));
  const parents = new Set(plan.stage.map(({ path }) => parentOf(path)));
  const carriers = new Set(plan.hardLinks.values());
  const reusable = new Set<string>();
  for (const [path, found] of staged) {
    const entry = wanted.get(path);
    const isWhole =
      entry?.type === "file" && found.type === "file" && found.size === entry.size && found.mtime === entry.mtime;
    if (isWhole && !plan.hardLinks.has(path) && !carriers.has(path)) reusable.add(path);
    else if (found.type !== "directory" || !(wanted.get(path)?.type === "directory" || parents.has(path))) {
      await target.remove(`${stagingName}/${path}`);
    }
  }
  if (plan.stage.length > 0) await target.makeDirectory(stagingName);
  return reusable;
}

function changedMeanwhile(paths: ReadonlySet<string>): AnyprocError {
  const [first] = paths;
  const others = paths.size > 1 ? ` and ${paths.size - 1} more` : "";
  return new AnyprocError(
    "ANYPROC_SYNC_FAILED",
    `${first}${others} changed while it was being read: nothing was put in place; run it again`,
  );
}
