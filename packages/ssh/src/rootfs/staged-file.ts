import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Staging } from "./staging.ts";
import { stagingName, type TreeEntry } from "./tree.ts";

/** Writes one file into this machine's staging directory; its time says last that it is complete. */
export async function writeStagedFile(
  staging: Staging,
  entry: TreeEntry,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<void> {
  const file = await open(join(staging.localRoot, stagingName, entry.path), "wx", 0o600);
  try {
    for await (const chunk of content) {
      staging.signal?.throwIfAborted();
      await file.write(chunk);
    }
    await file.chmod(entry.mode);
    await file.utimes(entry.mtime, entry.mtime);
  } finally {
    await file.close();
  }
  staging.onFile(entry);
}
