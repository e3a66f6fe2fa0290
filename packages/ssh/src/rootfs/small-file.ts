import { open } from "node:fs/promises";

/** Files up to this size are read whole. */
export const smallBytes: number = 64 * 1024;

/** At most `sizeBytes` of a file; fewer when it has shrunk. */
export async function readSmallFile(path: string, sizeBytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(sizeBytes), 0, sizeBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
