import { createReadStream } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Process } from "@anyproc/core";
import { endOfArchive, padding } from "@anyproc/core/tar";
import { roomIn } from "./room.ts";
import { readSmallFile, smallBytes } from "./small-file.ts";
import type { Staging } from "./staging.ts";
import { toolFailure } from "./sync-error.ts";
import { tarHeader } from "./tar-header.ts";
import { stagingName, type TreeEntry } from "./tree.ts";

// Small files are read ahead, many at once, and sent whole.
const readAhead = 32;
// What is gathered before it is handed to the channel.
const batchBytes = 256 * 1024;

/** Sends entries as one tar stream, which the remote tar unpacks into the staging directory. */
export async function uploadByTar(staging: Staging): Promise<ReadonlySet<string>> {
  const { remote, signal } = staging;
  const process = await remote.environment.spawn(
    { argv: ["tar", "-x", "-p", "-f", "-", "-C", `${remote.path}/${stagingName}`], cwd: "/", stdout: "null" },
    signal ? { signal } : {},
  );
  const said = text(process.stderr);
  const changed = await sendArchive(process, staging).catch(async (error) => {
    await process.close();
    throw error;
  });
  const exit = await process.wait();
  signal?.throwIfAborted();
  if (exit.exitCode !== 0) throw toolFailure("tar", exit.exitCode, await said);
  return changed;
}

async function sendArchive(process: Process, staging: Staging): Promise<Set<string>> {
  const { stdin } = process;
  const changed = new Set<string>();
  let batch: Buffer[] = [];
  let gathered = 0;
  const flush = async (): Promise<void> => {
    if (gathered === 0 || stdin.destroyed) return;
    const data = Buffer.concat(batch);
    batch = [];
    gathered = 0;
    // The program may end before it has read everything: its exit code says why.
    if (!stdin.write(data)) await roomIn(stdin);
  };
  const write = async (chunk: Buffer): Promise<void> => {
    batch.push(chunk);
    gathered += chunk.length;
    if (gathered >= batchBytes) await flush();
  };

  for await (const { entry, content } of withSmallFiles(staging)) {
    if (stdin.destroyed) break;
    const linkTo = staging.hardLinks.get(entry.path);
    if (entry.type !== "file" || linkTo !== undefined) {
      await write(tarHeader(entry, linkTo));
      continue;
    }
    await write(tarHeader(entry));
    if (content) {
      await write(content);
      if (content.length !== entry.size) changed.add(entry.path);
      if (content.length < entry.size) await write(Buffer.alloc(entry.size - content.length));
    } else if (!(await sendLargeFile(join(staging.localRoot, entry.path), entry.size, write))) {
      changed.add(entry.path);
    }
    await write(padding(entry.size));
    staging.onFile(entry);
  }
  await write(endOfArchive);
  await flush();
  if (!stdin.destroyed) stdin.end();
  return changed;
}

/** The entries in their order, small files with their content, which is read ahead. */
async function* withSmallFiles(staging: Staging): AsyncGenerator<{ entry: TreeEntry; content: Buffer | undefined }> {
  const reading: { entry: TreeEntry; content: Promise<Buffer> | undefined }[] = [];
  let next = 0;
  for (;;) {
    for (; reading.length < readAhead && next < staging.entries.length; next += 1) {
      const entry = staging.entries[next] as TreeEntry;
      const isSmall = entry.type === "file" && entry.size <= smallBytes && !staging.hardLinks.has(entry.path);
      const content = isSmall ? readSmallFile(join(staging.localRoot, entry.path), entry.size) : undefined;
      content?.catch(() => {});
      reading.push({ entry, content });
    }
    const first = reading.shift();
    if (!first) return;
    yield { entry: first.entry, content: await first.content };
  }
}

/** Sends exactly so many bytes of a file. False when it had fewer: the rest is zeros then. */
async function sendLargeFile(
  path: string,
  sizeBytes: number,
  write: (chunk: Buffer) => Promise<void>,
): Promise<boolean> {
  let sent = 0;
  for await (const chunk of createReadStream(path, { end: sizeBytes - 1, highWaterMark: batchBytes })) {
    await write(chunk as Buffer);
    sent += (chunk as Buffer).length;
  }
  for (let missing = sizeBytes - sent; missing > 0; missing -= batchBytes) {
    await write(Buffer.alloc(Math.min(missing, batchBytes)));
  }
  return sent === sizeBytes;
}
