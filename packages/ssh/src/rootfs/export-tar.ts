import type { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { RootfsReport } from "@anyproc/core";
import { readTar } from "@anyproc/core/tar";
import type { RemoteTools } from "./remote-tools.ts";
import { checkRemoteDirectory, type RemoteDirectory } from "./remote-tree.ts";
import { syncFailed, toolFailure } from "./sync-error.ts";
import { Losses } from "./tree.ts";

// Only GNU tar has them.
const keepAttributes = ["--format=pax", "--xattrs", "--xattrs-include=*", "--acls"];

/** Packs a remote directory by the remote tar, into a stream that is ended when all of it has come. */
export async function exportTar(
  remote: RemoteDirectory,
  tools: RemoteTools,
  sink: PassThrough,
  signal: AbortSignal | undefined,
): Promise<RootfsReport> {
  await checkRemoteDirectory(remote);
  const keep = tools.tar === "gnu" ? keepAttributes : [];
  const running = remote.environment.create(
    { argv: ["tar", "-c", ...keep, "--numeric-owner", "-f", "-", "-C", remote.path, "."], cwd: "/" },
    signal ? { signal } : {},
  );
  const count = countEntries(running.forkStdout());
  // When the stream breaks off, how tar ended says more.
  count.catch(() => {});
  const said = text(running.forkStderr());
  running.attachStdout(sink);
  await running.start();
  const exit = await running.wait();
  signal?.throwIfAborted();
  // 1: something changed while it was read. 2: something could not be read at all.
  if (exit.exitCode > 1) throw syncFailed(remote.name, toolFailure("tar", exit.exitCode, await said));
  sink.end();
  const losses = new Losses();
  for (const line of (await said).split("\n")) {
    const socket = /^tar: (?:\.\/)?(.*): socket ignored$/.exec(line)?.[1];
    if (socket) losses.add(socket, "socket", "sockets belong to the program that listens, so it was left out");
  }
  return { ...(await count), losses: losses.list, lossCount: losses.count };
}

async function countEntries(tar: Readable): Promise<{ entries: number; bytes: number }> {
  const count = { entries: 0, bytes: 0 };
  for await (const { entry } of readTar(tar)) {
    count.entries += 1;
    count.bytes += entry.size;
  }
  return count;
}
