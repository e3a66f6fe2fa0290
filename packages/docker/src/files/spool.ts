import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file on this machine that nobody else can see, and that goes with its handle. */
export async function openSpool(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-spool-"));
  try {
    return await open(join(directory, "spool"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Writes all of a chunk at a position. */
export async function writeAt(spool: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    at += (await spool.write(chunk, at, chunk.length - at, position + at)).bytesWritten;
  }
}
