import { stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import {
  AnyprocError,
  copyRootfs,
  type FileSystem,
  type Rootfs,
  type RootfsExport,
  type RootfsOptions,
  type Starter,
  unsupported,
} from "@anyproc/core";
import { continueDownload, continueUpload } from "./continue-file.ts";
import { downloadBySftp } from "./download-sftp.ts";
import { downloadByTar } from "./download-tar.ts";
import { exportTar } from "./export-tar.ts";
import { importTar } from "./import-tar.ts";
import { listLocalTree } from "./local-tree.ts";
import type { Writer } from "./owners.ts";
import { findRemoteTools, type RemoteTools } from "./remote-tools.ts";
import { listRemoteTree, type RemoteDirectory } from "./remote-tree.ts";
import { rootedEnvironment } from "./rooted-environment.ts";
import { stageLocally } from "./stage-locally.ts";
import { sync } from "./sync.ts";
import type { SyncOptions, SyncReport } from "./sync-options.ts";
import { stagingName } from "./tree.ts";
import { localTarget, remoteTarget } from "./tree-target.ts";
import { uploadBySftp } from "./upload-sftp.ts";
import { uploadByTar } from "./upload-tar.ts";

/** A directory on a server: kept in step with one here, and a place to run programs in. */
export interface SshRootfs extends Rootfs {
  /** Absolute path on the server. */
  readonly path: string;
  /**
   * Makes this directory like one of this machine's. What is unchanged stays; every file takes its place by a rename;
   * an upload that was interrupted goes on where it stopped, in the middle of a large file too.
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
  async function writer(found: RemoteTools): Promise<Writer> {
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
        keepsOwners: useTar,
        // Others set a directory's time at once, and then put something in it.
        keepsDirectories: useTar && found.tar === "gnu",
        transportName: useTar ? "tar" : "sftp",
        transport: useTar ? uploadByTar : uploadBySftp,
        startsOn: { remote: `${root}/${stagingName}`, local: directory },
        continueFile: continueUpload,
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
        keepsOwners: false,
        keepsDirectories: false,
        transportName: useTar ? "tar" : "sftp",
        transport: (staging) => stageLocally(staging, transport),
        startsOn: { remote: root, local: join(directory, stagingName) },
        continueFile: continueDownload,
      },
      options,
    );
  }

  function pack({ signal }: RootfsOptions = {}): RootfsExport {
    const tar = new PassThrough();
    const report = requireTar().then((found) => exportTar(remote, found, tar, signal));
    report.catch((error: Error) => tar.destroy(error));
    return { tar, report };
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
    async importTar(tar, { signal } = {}) {
      const found = await requireTar();
      await home.files.mkdir(root, { recursive: true });
      return importTar(remote, found, tar, signal);
    },
    exportTar: pack,
    copyTo: (other, options) => copyRootfs({ exportTar: pack }, other, options),
    environment: () => rootedEnvironment(home.environment, home.files, home.start, name, root),
  };
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
