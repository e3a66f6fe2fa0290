import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { decodeUtf8 } from "@anyproc/core";
import type { TarEntry } from "@anyproc/core/tar";

const run = promisify(execFile);

/** Makes a device or a fifo, for which Node has no function: mknod(1) and mkfifo(1). Returns why not, if not. */
export async function makeNode(path: Buffer, entry: TarEntry): Promise<string | undefined> {
  const isFifo = entry.type === "fifo";
  if (!isFifo && process.geteuid?.() !== 0) return "only root makes devices: unpack as root to keep them";
  const text = decodeUtf8(path);
  if (text === undefined) return "its name is not UTF-8, and the tool that makes it takes text only";
  const letter = entry.type === "block-device" ? "b" : "c";
  try {
    if (isFifo) await run("mkfifo", [text]);
    else await run("mknod", [text, letter, String(entry.device.major), String(entry.device.minor)]);
    return undefined;
  } catch (error) {
    return `${isFifo ? "mkfifo" : "mknod"}: ${(error as Error).message.trim().split("\n").at(-1)}`;
  }
}
