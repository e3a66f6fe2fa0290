import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { openForWriting, remoteChunks } from "../files/remote-file.ts";
import { smallBytes } from "./small-file.ts";
import type { Staging } from "./staging.ts";
import { stagingName, type TreeEntry } from "./tree.ts";

/**
 * Brings the rest of a file, whose first bytes wait in the staging directory. Resolves to false when the file has
 * changed meanwhile. Over SFTP, since tar has no way to begin in the middle.
 */
export type ContinueFile = (staging: Staging, entry: TreeEntry, fromByte: number) => Promise<boolean>;

export const continueUpload: ContinueFile = async ({ remote, localRoot, signal, onFile }, entry, fromByte) => {
  const place = `${remote.path}/${stagingName}/${entry.path}`;
  const file = await openForWriting(remote.sftp, place, { fromByte });
  let position = fromByte;
  try {
    const range = { start: fromByte, end: entry.size - 1, highWaterMark: smallBytes };
    for await (const chunk of createReadStream(join(localRoot, entry.path), range)) {
      signal?.throwIfAborted();
      await file.write(chunk);
      position += chunk.length;
    }
    await file.finish();
    if (position === entry.size) {
      await file.setAttributes({ mode: entry.mode, atime: entry.mtime, mtime: entry.mtime });
    }
  } finally {
    await file.close();
  }
  onFile(entry, position - fromByte);
  return position === entry.size;
};

export const continueDownload: ContinueFile = async ({ remote, localRoot, signal, onFile }, entry, fromByte) => {
  const file = await open(join(localRoot, stagingName, entry.path), "r+");
  let position = fromByte;
  try {
    for await (const chunk of remoteChunks(remote.sftp, `${remote.path}/${entry.path}`, fromByte)) {
      signal?.throwIfAborted();
      await file.write(chunk, 0, chunk.length, position);
      position += chunk.length;
    }
    if (position === entry.size) {
      await file.chmod(entry.mode);
      await file.utimes(entry.mtime, entry.mtime);
    }
  } finally {
    await file.close();
  }
  onFile(entry, position - fromByte);
  return position === entry.size;
};
