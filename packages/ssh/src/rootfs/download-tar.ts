import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type Piece, printable, readTar } from "@anyproc/core/tar";
import { writeStagedFile } from "./staged-file.ts";
import type { Staging } from "./staging.ts";
import { toolFailure } from "./sync-error.ts";
import type { TreeEntry } from "./tree.ts";

// Small files that are written at once, while the stream goes on.
const writesInFlight = 16;
const smallBytes = 64 * 1024;

/** Receives files as one tar stream of GNU tar's. Only what was asked for is taken. */
export async function downloadByTar(staging: Staging): Promise<ReadonlySet<string>> {
  const { remote, signal, hardLinks } = staging;
  const wanted = new Map<string, TreeEntry>();
  for (const entry of staging.entries) {
    if (entry.type === "file" && !hardLinks.has(entry.path)) wanted.set(entry.path, entry);
  }
  if (wanted.size === 0) return new Set();
  const argv = ["tar", "-c", "-f", "-", "--format=gnu", "--no-recursion", "-C", remote.path] as const;
  const process = remote.environment.create(
    { argv: [...argv, "--null", "--verbatim-files-from", "-T", "-"], cwd: "/" },
    signal ? { signal } : {},
  );
  const archive = process.forkStdout();
  const said = text(process.forkStderr());
  await process.start();
  process.stdin.end([...wanted.keys()].map((path) => `./${path}\0`).join(""));
  try {
    await receive(archive, wanted, staging);
  } catch (error) {
    await process.close();
    signal?.throwIfAborted();
    // A stream that breaks off has its reason on the other side.
    const lost = await process.wait().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    throw lost ?? error;
  }
  const exit = await process.wait();
  signal?.throwIfAborted();
  // 1 means that files changed while they were read; they are found out by their size.
  if (exit.exitCode > 1) throw toolFailure("tar", exit.exitCode, await said);
  return new Set(wanted.keys());
}

async function receive(archive: Readable, wanted: Map<string, TreeEntry>, staging: Staging): Promise<void> {
  const writing = new Set<Promise<void>>();
  for await (const { entry: archived, content } of readTar(archive)) {
    const path = printable(archived.path).replace(/^\.\//, "");
    const entry = wanted.get(path);
    if (!entry || archived.type !== "file" || archived.size !== entry.size) continue;
    wanted.delete(path);
    if (entry.size > smallBytes) {
      await writeStagedFile(staging, entry, chunksOf(content));
      continue;
    }
    const written = writeStagedFile(staging, entry, await collect(chunksOf(content)));
    writing.add(written);
    void written.then(
      () => writing.delete(written),
      () => {},
    );
    if (writing.size >= writesInFlight) await Promise.race(writing);
  }
  await Promise.all(writing);
}

async function* chunksOf(content: AsyncIterable<Piece>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { data } of content) yield data;
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return chunks;
}
