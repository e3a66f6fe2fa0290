import { remoteChunks } from "../files/remote-file.ts";
import { forEachParallel } from "../files/sftp-request.ts";
import { writeStagedFile } from "./staged-file.ts";
import type { Staging } from "./staging.ts";

const filesInFlight = 32;

/** Receives files over SFTP, many at once. */
export async function downloadBySftp(staging: Staging): Promise<ReadonlySet<string>> {
  const { remote, hardLinks, signal } = staging;
  await forEachParallel(
    staging.entries.filter(({ path, type }) => type === "file" && !hardLinks.has(path)),
    filesInFlight,
    async (entry) => {
      signal?.throwIfAborted();
      await writeStagedFile(staging, entry, remoteChunks(remote.sftp, `${remote.path}/${entry.path}`));
    },
  );
  return new Set();
}
