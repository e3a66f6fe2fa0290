import { createHash, randomBytes } from "node:crypto";
import { close, open as openWithCallback } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AnyprocError, systemErrorCode } from "@anyproc/core";
import { forget, removeAtExit } from "./files-at-exit.ts";
import type { PayloadFile } from "./payload-file.ts";

// One step of copying and hashing holds the event loop up for less than a millisecond.
const stepBytes = 512 * 1024;

const closeDescriptor: (descriptor: number) => Promise<void> = promisify(close);
const openDescriptor: (path: string, flags: string) => Promise<number> = promisify(openWithCallback);

/**
 * Puts a payload into a file `<sha256>-*` that its owner alone can read and execute, removed at release or when this
 * process ends.
 *
 * @throws ANYPROC_EMRUN_TEMPORARY_FILE when it cannot be written
 */
export async function createTemporaryFile(payload: Uint8Array, directory: string = tmpdir()): Promise<PayloadFile> {
  const unique = randomBytes(8).toString("hex");
  const draft = join(directory, `.${unique}`);
  let path = draft;
  removeAtExit(draft);
  try {
    const digest = await write(draft, payload);
    // Windows executes a file by the end of its name.
    const final = join(directory, `${digest}-${unique}${process.platform === "win32" ? ".exe" : ""}`);
    removeAtExit(final);
    await rename(draft, final);
    forget(draft);
    path = final;
    const descriptor = await openDescriptor(final, "r");
    return { descriptor, path: final, digest, release: () => release(descriptor, final) };
  } catch (error) {
    await remove(path).catch(() => {});
    throw writeError(directory, error);
  }
}

/** The digest is that of the bytes in the file, even if somebody changes the payload meanwhile. */
async function write(path: string, payload: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o700);
  try {
    // Whatever umask(2) took away.
    await file.chmod(0o700);
    const { length } = payload;
    for (let start = 0; start < length; start += stepBytes) {
      const step = Uint8Array.prototype.slice.call(payload, start, start + stepBytes);
      hash.update(step);
      await file.writeFile(step);
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function release(descriptor: number, path: string): Promise<void> {
  try {
    await closeDescriptor(descriptor);
  } finally {
    await remove(path);
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
  forget(path);
}

function writeError(directory: string, error: unknown): AnyprocError {
  const remedy =
    systemErrorCode(error) === "ENOSPC"
      ? "make room there, or name another directory in TMPDIR or tempDirectory"
      : "name a directory that can be written to in TMPDIR or tempDirectory";
  return new AnyprocError(
    "ANYPROC_EMRUN_TEMPORARY_FILE",
    `${directory}: the payload's temporary file cannot be written there: ${error instanceof Error ? error.message : String(error)}: ${remedy}`,
    { cause: error },
  );
}
