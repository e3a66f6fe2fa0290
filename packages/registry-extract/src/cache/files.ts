import { randomBytes } from "node:crypto";
import { link, mkdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode } from "@anyproc/core";

/** Writes a file that appears whole or not at all, whoever else writes it at the same time. */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, data, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Size of a file; undefined when there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Notes that something was used now, for pruning; one that belongs to somebody else cannot be noted. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/** Moves a finished file to its place; keeps the one that another process put there first. */
export async function publishFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST" && (await sizeOf(from)) !== undefined) {
      // A file system without hard links.
      await rename(from, to);
    }
  }
  await rm(from, { force: true });
}
