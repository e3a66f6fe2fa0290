import { close, open, read } from "node:fs";

/** Files up to this size are read whole. */
export const smallBytes: number = 64 * 1024;

/**
 * At most `sizeBytes` of a file; fewer when it has shrunk. By the callback functions, which cost half of what
 * node:fs/promises does for thousands of files.
 */
export function readSmallFile(path: string, sizeBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    open(path, (openError, file) => {
      if (openError) {
        reject(openError);
        return;
      }
      read(file, Buffer.allocUnsafe(sizeBytes), 0, sizeBytes, 0, (readError, bytesRead, buffer) => {
        close(file, (closeError) => {
          const error = readError ?? closeError;
          if (error) reject(error);
          else resolve(buffer.subarray(0, bytesRead));
        });
      });
    });
  });
}
