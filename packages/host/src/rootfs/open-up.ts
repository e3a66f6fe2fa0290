import type { BigIntStats } from "node:fs";
import { chmod, type FileHandle, open, readdir } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";

/** Opens a file for reading; one that keeps even its owner out gets its mode changed for that moment. */
export async function openReadable(path: Buffer, stats: BigIntStats): Promise<FileHandle> {
  return withAccess(path, stats, 0o400, () => open(path, "r"));
}

/** Names in a directory, as bytes (see TarEntry). */
export async function readDirectory(path: Buffer, stats: BigIntStats): Promise<string[]> {
  const names = await withAccess(path, stats, 0o700, () => readdir(path, { encoding: "buffer" }));
  return names.map((name) => name.toString("latin1"));
}

async function withAccess<T>(path: Buffer, stats: BigIntStats, mode: number, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (systemErrorCode(error) !== "EACCES" || Number(stats.uid) !== process.geteuid?.()) throw error;
  }
  const before = Number(stats.mode) & 0o7777;
  await chmod(path, before | mode);
  try {
    return await use();
  } finally {
    await chmod(path, before);
  }
}
