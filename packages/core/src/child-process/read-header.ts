import { closeSync, openSync, readSync } from "node:fs";
import { headerBytes } from "./executable-format.ts";

/** What a program's file starts with; undefined where it cannot be read, though it may be executable. */
export function readHeader(path: string): Buffer | undefined {
  try {
    const file = openSync(path, "r");
    try {
      const header = Buffer.alloc(headerBytes);
      return header.subarray(0, readSync(file, header));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
