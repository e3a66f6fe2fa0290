import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { AnyprocError, type FileSystem, type RootfsReport } from "@anyproc/core";
import type { ContainerRootfs } from "@anyproc/docker";
import { loadDocker } from "../environments/docker.ts";
import type { DockerCopy } from "./copy-docker.ts";
import type { DockerPlace } from "./docker-place.ts";

type ContainerPlace = Extract<DockerPlace, { kind: "container" }>;

/** Copies a directory or a file out of a container. */
export async function copyFromContainer(from: ContainerPlace, to: string, copying: DockerCopy): Promise<RootfsReport> {
  const { signal } = copying;
  const rootfs = await openContainer(from, copying);
  const stats = await rootfs.fs.stat(from.path);
  if (stats.isDirectory()) {
    const { openRootfs } = await import("@anyproc/host");
    return rootfs.copyTo(openRootfs(to, { create: true }), { signal });
  }
  const target = (await isDirectory(to)) ? join(to, posix.basename(from.path)) : to;
  await pipeline(rootfs.fs.createReadStream(from.path), createWriteStream(target, { mode: stats.mode & 0o777 }), {
    signal,
  });
  return oneFile(stats.size);
}

/** Copies a directory or a file into a container. */
export async function copyToContainer(from: string, to: ContainerPlace, copying: DockerCopy): Promise<RootfsReport> {
  const { signal } = copying;
  const rootfs = await openContainer(to, copying);
  const stats = await stat(from).catch((cause: unknown) => {
    throw new AnyprocError("ANYPROC_ROOTFS_NOT_FOUND", `${from}: there is no such file or directory: name one`, {
      cause,
    });
  });
  if (stats.isDirectory()) {
    const { openRootfs } = await import("@anyproc/host");
    return openRootfs(from).copyTo(rootfs, { signal });
  }
  const target = (await isContainerDirectory(rootfs.fs, to.path)) ? posix.join(to.path, basename(from)) : to.path;
  const sink = rootfs.fs.createWriteStream(target, { mode: stats.mode & 0o777 });
  await pipeline(createReadStream(from), sink, { signal });
  return oneFile(stats.size);
}

/** Writes the files of a container, or of a directory in it, as one archive. */
export async function exportContainer(from: ContainerPlace, file: string, copying: DockerCopy): Promise<RootfsReport> {
  const { signal } = copying;
  const { tar, report } = (await openContainer(from, copying)).exportTar({ signal });
  await pipeline(tar, createWriteStream(file), { signal });
  return report;
}

/** Unpacks an archive into a container. */
export async function importToContainer(file: string, to: ContainerPlace, copying: DockerCopy): Promise<RootfsReport> {
  const { signal } = copying;
  return (await openContainer(to, copying)).importTar(createReadStream(file), { signal });
}

async function openContainer({ name, path }: ContainerPlace, { connection }: DockerCopy): Promise<ContainerRootfs> {
  const { openContainerRootfs } = await loadDocker();
  return openContainerRootfs(name, { connection, path });
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isContainerDirectory(fs: FileSystem, path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function oneFile(bytes: number): RootfsReport {
  return { entries: 1, bytes, losses: [], lossCount: 0 };
}
