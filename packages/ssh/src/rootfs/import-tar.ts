import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { RootfsReport } from "@anyproc/core";
import { ask, forEachParallel } from "../files/sftp-request.ts";
import { type PassedDirectory, type PassedTar, passChecked } from "./check-tar.ts";
import type { RemoteTools } from "./remote-tools.ts";
import { listRemoteTree, type RemoteDirectory } from "./remote-tree.ts";
import { syncFailed, toolFailure } from "./sync-error.ts";
import { byDepth, Losses } from "./tree.ts";

// Directories whose attributes are set at once.
const inFlight = 64;

/** Unpacks a tar stream into a remote directory that is there, by the remote tar, once every entry has been checked. */
export async function importTar(
  remote: RemoteDirectory,
  tools: RemoteTools,
  tar: Readable,
  signal: AbortSignal | undefined,
): Promise<RootfsReport> {
  const losses = new Losses();
  const present = await listRemoteTree(remote, tools, new Losses());
  const symlinks = new Set([...present.values()].filter(({ type }) => type === "symlink").map(({ path }) => path));
  const running = await remote.environment.spawn(
    { argv: ["tar", "-x", "-p", "-f", "-", "-C", remote.path], cwd: "/", stdout: "null" },
    signal ? { signal } : {},
  );
  const said = text(running.stderr);
  const reader = tools.tar === "gnu" ? "gnu" : "other";
  let passed: PassedTar;
  try {
    passed = await passChecked(tar, running.stdin, { name: remote.name, symlinks, losses, reader });
  } catch (error) {
    await running.close();
    signal?.throwIfAborted();
    throw syncFailed(remote.name, error);
  }
  const exit = await running.wait();
  signal?.throwIfAborted();
  if (exit.exitCode !== 0) throw syncFailed(remote.name, toolFailure("tar", exit.exitCode, await said));
  await finish(remote, passed.unfinished);
  if (tools.uid !== 0) {
    losses.add(".", "owner", `all of it belongs to ${tools.uid}:${tools.gid} now: only root may give files away`);
  }
  return { entries: passed.entries, bytes: passed.bytes, losses: losses.list, lossCount: losses.count };
}

async function finish(remote: RemoteDirectory, directories: readonly PassedDirectory[]): Promise<void> {
  for (const level of byDepth(directories)) {
    await forEachParallel(level, inFlight, ({ path: name, mode, mtime }) => {
      const path = `${remote.path}/${name}`;
      return remote.sftp.use("setstat", path, (sftp) =>
        ask<void>(sftp, (done) => sftp.setstat(path, { mode, atime: mtime, mtime }, (error) => done(error, undefined))),
      );
    });
  }
}
