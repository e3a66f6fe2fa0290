import { createReadStream } from "node:fs";
import { join } from "node:path";
import { openForWriting } from "../files/remote-file.ts";
import { ask, attempt, forEachParallel } from "../files/sftp-request.ts";
import { readSmallFile, smallBytes } from "./small-file.ts";
import type { Staging } from "./staging.ts";
import { stagingName, type TreeEntry } from "./tree.ts";

// Files that are sent at once; each of them has requests of its own in flight.
const filesInFlight = 64;

/** Sends entries over SFTP, many at once. */
export async function uploadBySftp(staging: Staging): Promise<ReadonlySet<string>> {
  const { remote, hardLinks, signal } = staging;
  const changed = new Set<string>();
  const place = (path: string): string => `${remote.path}/${stagingName}/${path}`;

  // Entries come parents first. Parents that stay where they are have to be made for those below.
  for (const entry of staging.entries) {
    signal?.throwIfAborted();
    if (entry.type === "directory") await remote.environment.fs?.mkdir(place(entry.path), { recursive: true });
  }
  const others = staging.entries.filter(({ type }) => type !== "directory");
  const parents = new Set(others.map(({ path }) => place(path).replace(/\/[^/]*$/, "")));
  for (const parent of parents) await remote.environment.fs?.mkdir(parent, { recursive: true });

  await forEachParallel(
    others.filter(({ path }) => !hardLinks.has(path)),
    filesInFlight,
    async (entry) => {
      signal?.throwIfAborted();
      if (entry.type === "symlink") await makeSymlink(staging, entry, place(entry.path));
      else if (!(await sendFile(staging, entry, place(entry.path)))) changed.add(entry.path);
    },
  );
  await forEachParallel(hardLinks, filesInFlight, ([path, carrier]) =>
    makeHardLink(staging, place(carrier), place(path)),
  );
  return changed;
}

async function sendFile(staging: Staging, entry: TreeEntry, path: string): Promise<boolean> {
  const file = await openForWriting(staging.remote.sftp, path, { mode: 0o600 });
  let sent = 0;
  try {
    for await (const chunk of contentOf(join(staging.localRoot, entry.path), entry.size)) {
      staging.signal?.throwIfAborted();
      await file.write(chunk);
      sent += chunk.length;
    }
    await file.finish();
    // The time says that the file is complete: it comes last.
    await file.setAttributes({ mode: entry.mode, atime: entry.mtime, mtime: entry.mtime });
  } finally {
    await file.close();
  }
  staging.onFile(entry);
  return sent === entry.size;
}

async function* contentOf(path: string, sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
  if (sizeBytes <= smallBytes) yield await readSmallFile(path, sizeBytes);
  else yield* createReadStream(path, { end: sizeBytes - 1, highWaterMark: smallBytes });
}

async function makeSymlink({ remote }: Staging, entry: TreeEntry, path: string): Promise<void> {
  await remote.sftp.use("symlink", path, async (sftp) => {
    // What an interrupted sync left there may lead elsewhere.
    await attempt<void>(sftp, (done) => sftp.unlink(path, (error) => done(error, undefined)));
    await ask<void>(sftp, (done) => sftp.symlink(entry.target ?? "", path, (error) => done(error, undefined)));
  });
}

async function makeHardLink({ remote }: Staging, from: string, path: string): Promise<void> {
  await remote.sftp.use("link", path, async (sftp) => {
    await attempt<void>(sftp, (done) => sftp.unlink(path, (error) => done(error, undefined)));
    await ask<void>(sftp, (done) => sftp.ext_openssh_hardlink(from, path, (error) => done(error, undefined)));
  });
}
