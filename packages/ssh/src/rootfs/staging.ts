import type { RemoteDirectory } from "./remote-tree.ts";
import type { TreeEntry } from "./tree.ts";

/** What a transport has to bring into the target's staging directory. */
export interface Staging {
  readonly remote: RemoteDirectory;
  readonly localRoot: string;
  /** Parents first; no file among them that is staged already. */
  readonly entries: readonly TreeEntry[];
  readonly hardLinks: ReadonlyMap<string, string>;
  /** Called when a file is complete; `bytes` of it have travelled. @default all of them */
  readonly onFile: (entry: TreeEntry, bytes?: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Brings entries into the staging directory; resolves to the paths of files that changed while they were read. */
export type Transport = (staging: Staging) => Promise<ReadonlySet<string>>;
