import { stat } from "node:fs/promises";
import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  AnyprocError,
  defineEnvironment,
  type Environment,
  type FileSystem,
  type Rootfs,
  type RootfsExport,
  type RootfsOptions,
  type RootfsReport,
  type Starter,
  unsupported,
} from "@anyproc/core";
import { extract, type Header } from "tar-stream";
import { ask } from "../files/sftp-request.ts";
import { type PassedTar, passChecked } from "./check-tar.ts";
import { downloadBySftp } from "./download-sftp.ts";
import { downloadByTar } from "./download-tar.ts";
import { listLocalTree } from "./local-tree.ts";
import { findRemoteTools, type RemoteTools } from "./remote-tools.ts";
import { checkRemoteDirectory, listRemoteTree, type RemoteDirectory } from "./remote-tree.ts";
import { stageLocally } from "./stage-locally.ts";
import { sync } from "./sync.ts";
import { syncFailed, toolFailure } from "./sync-error.ts";
import type { SyncOptions, SyncReport } from "./sync-options.ts";
import { Losses } from "./tree.ts";
import { localTarget, remoteTarget } from "./tree-target.ts";
import { uploadBySftp } from "./upload-sftp.ts";
import { uploadByTar } from "./upload-tar.ts";

/** A directory on a server: kept in step with one here, and a place to run programs in. */
export interface SshRootfs extends Rootfs {
  /** Absolute path on the server. */
  readonly path: string;
  /**
   * Makes this directory like one of this machine's. What is unchanged stays; every file takes its place by a rename;
   * an upload that was interrupted goes on where it stopped.
   *
   * @throws ANYPROC_ROOTFS_NOT_FOUND, ANYPROC_NO_SPACE, ANYPROC_SYNC_CONFLICT, ANYPROC_SYNC_FAILED,
   * ANYPROC_CONNECTION_LOST; the signal's reason
   */
  upload(directory: string, options?: SyncOptions): Promise<SyncReport>;
  /** Makes a directory of this machine's like this one, in the same way. @throws as upload(); ANYPROC_UNSAFE_PATH */
  download(directory: string, options?: SyncOptions): Promise<SyncReport>;
}

/** What a rootfs needs of the environment that it belongs to. */
export interface RootfsHome extends Omit<RemoteDirectory, "path" | "name"> {
  readonly files: FileSystem;
  readonly start: Starter;
}

/** The rootfs at a path of a server's. */
export function sshRootfs(home: RootfsHome, path: string): SshRootfs {
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new AnyprocError("ANYPROC_INVALID_OPTION", `rootfs ${path}: give an absolute path on the server`);
  }
  const root = path.replace(/\/+$/, "") || "/";
  const name = `${home.environment.name}${root}`;
  const remote: RemoteDirectory = { ...home, path: root, name };
  let tools: Promise<RemoteTools> | undefined;

  function remoteTools(): Promise<RemoteTools> {
    tools ??= findRemoteTools(home.environment).catch((error) => {
      tools = undefined;
      throw error;
    });
    return tools;
  }

  /** Who we are there: what the commands say, else whom the server gives new files to. */
  async function writer(found: RemoteTools): Promise<Pick<RemoteTools, "uid" | "gid">> {
    if (found.uid !== undefined) return found;
    await home.files.mkdir(root, { recursive: true });
    const stats = await home.files.stat(root);
    return { uid: stats.uid, gid: stats.gid };
  }

  async function upload(directory: string, options: SyncOptions = {}): Promise<SyncReport> {
    await checkLocalDirectory(directory);
    const found = await remoteTools();
    const useTar = choosesTar(options, found.tar !== undefined, name);
    return sync(
      {
        remote,
        localRoot: directory,
        target: remoteTarget(remote, home.files),
        listSource: (losses) => listLocalTree(directory, losses),
        listTarget: (losses) => listRemoteTree(remote, found, losses),
        writer: await writer(found),
        canMakeSpecial: useTar,
        keepsAttributes: useTar,
        transportName: useTar ? "tar" : "sftp",
        transport: useTar ? uploadByTar : uploadBySftp,
      },
      options,
    );
  }

  async function download(directory: string, options: SyncOptions = {}): Promise<SyncReport> {
    const found = await remoteTools();
    const useTar = choosesTar(options, found.tar === "gnu", name);
    const transport = useTar ? downloadByTar : downloadBySftp;
    return sync(
      {
        remote,
        localRoot: directory,
        target: localTarget(directory),
        listSource: (losses) => listRemoteTree(remote, found, losses),
        listTarget: (losses) => listLocalTree(directory, losses),
        writer: { uid: process.getuid?.(), gid: process.getgid?.() },
        canMakeSpecial: false,
        keepsAttributes: false,
        transportName: useTar ? "tar" : "sftp",
        transport: (staging) => stageLocally(staging, transport),
      },
      options,
    );
  }

  async function importTar(tar: Readable, { signal }: RootfsOptions = {}): Promise<RootfsReport> {
    const found = await requireTar();
    await home.files.mkdir(root, { recursive: true });
    const present = await listRemoteTree(remote, found, new Losses());
    const symlinks = new Set([...present.values()].filter(({ type }) => type === "symlink").map((entry) => entry.path));
    const command = { argv: ["tar", "-x", "-p", "-f", "-", "-C", root], cwd: "/", stdout: "null" } as const;
    const running = await home.environment.spawn(command, signal ? { signal } : {});
    const said = text(running.stderr);
    let passed: PassedTar;
    try {
      passed = await passChecked(tar, running.stdin, symlinks, name);
    } catch (error) {
      await running.close();
      signal?.throwIfAborted();
      throw syncFailed(name, error);
    }
    const exit = await running.wait();
    signal?.throwIfAborted();
    if (exit.exitCode !== 0) throw syncFailed(name, toolFailure("tar", exit.exitCode, await said));
    await setTimes(passed.directoriesWithLinks);
    const losses = new Losses();
    if (found.uid !== 0) {
      losses.add(".", "owner", `all of it belongs to ${found.uid}:${found.gid} now: only root may give files away`);
    }
    return { entries: passed.entries, bytes: passed.bytes, losses: losses.list, lossCount: losses.count };
  }

  async function setTimes(directories: readonly Header[]): Promise<void> {
    for (const { name: directory, mtime } of directories) {
      const at = `${root}/${directory}`;
      const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000);
      await remote.sftp.use("setstat", at, (sftp) =>
        ask<void>(sftp, (done) => sftp.utimes(at, seconds, seconds, (error) => done(error, undefined))),
      );
    }
  }

  function exportTar({ signal }: RootfsOptions = {}): RootfsExport {
    const tar = new PassThrough();
    const report = packRemote(tar, signal);
    report.catch((error: Error) => tar.destroy(error));
    return { tar, report };
  }

  async function packRemote(tar: PassThrough, signal: AbortSignal | undefined): Promise<RootfsReport> {
    const found = await requireTar();
    await checkRemoteDirectory(remote);
    const keep = found.tar === "gnu" ? ["--format=pax", "--xattrs", "--xattrs-include=*", "--acls"] : [];
    const running = home.environment.create(
      { argv: ["tar", "-c", ...keep, "--numeric-owner", "-f", "-", "-C", root, "."], cwd: "/" },
      signal ? { signal } : {},
    );
    const count = countEntries(running.forkStdout());
    const said = text(running.forkStderr());
    running.attachStdout(tar);
    await running.start();
    const exit = await running.wait();
    signal?.throwIfAborted();
    const losses = new Losses();
    const lines = (await said).split("\n").filter((line) => line !== "");
    for (const line of lines) {
      const socket = /^tar: (?:\.\/)?(.*): socket ignored$/.exec(line)?.[1];
      if (socket) losses.add(socket, "socket", "sockets belong to the program that listens, so it was left out");
    }
    // 1: something changed while it was read. 2: something could not be read at all.
    if (exit.exitCode > 1) throw syncFailed(name, toolFailure("tar", exit.exitCode, await said));
    tar.end();
    return { ...(await count), losses: losses.list, lossCount: losses.count };
  }

  async function requireTar(): Promise<RemoteTools> {
    const found = await remoteTools();
    if (found.tar === undefined)
      throw unsupported(name, "a tar stream", "the server has no tar: use upload() or download()");
    return found;
  }

  return {
    name,
    path: root,
    upload,
    download,
    importTar,
    exportTar,
    async copyTo(other, options) {
      const { tar, report } = exportTar(options);
      const [sent, received] = await Promise.all([report, other.importTar(tar, options)]);
      return {
        ...received,
        losses: [...sent.losses, ...received.losses],
        lossCount: sent.lossCount + received.lossCount,
      };
    },
    environment: () => rootedEnvironment(home, name, root),
  };
}

/** Runs programs with the rootfs in front of their working directory: no chroot, which only root could do. */
function rootedEnvironment(home: RootfsHome, name: string, root: string): Environment {
  const { environment } = home;
  return defineEnvironment({
    name,
    capabilities: environment.capabilities,
    fs: home.files,
    start: (command) => home.start({ ...command, cwd: `${root}/${command.cwd ?? ""}` }),
  });
}

async function countEntries(tar: Readable): Promise<{ entries: number; bytes: number }> {
  const parser = extract();
  const count = { entries: 0, bytes: 0 };
  parser.on("entry", (header, content, next) => {
    count.entries += 1;
    count.bytes += header.size ?? 0;
    content.on("end", next);
    content.resume();
  });
  await pipeline(tar, parser);
  return count;
}

function choosesTar({ transport = "auto" }: SyncOptions, hasTar: boolean, name: string): boolean {
  if (transport === "tar" && !hasTar)
    throw unsupported(name, 'transport "tar"', 'the server lacks it: use "auto" or "sftp"');
  return transport !== "sftp" && hasTar;
}

async function checkLocalDirectory(directory: string): Promise<void> {
  const stats = await stat(directory).catch(() => undefined);
  if (stats?.isDirectory()) return;
  throw new AnyprocError(
    "ANYPROC_ROOTFS_NOT_FOUND",
    `${directory}: ${stats ? "it is no directory" : "there is no such directory"}: name the directory to upload`,
  );
}
