import { readdir, readFile } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";

/** True when the kernel knows a program that runs such files: binfmt_misc, as qemu-user and Wine set it up. */
export async function hasRegisteredInterpreter(header: Buffer): Promise<boolean> {
  const directory = "/proc/sys/fs/binfmt_misc";
  try {
    const names = await readdir(directory);
    const formats = await Promise.all(names.map((name) => readFormat(`${directory}/${name}`)));
    return formats.some((format) => format !== undefined && matches(format, header));
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

// Linux, "Kernel Support for miscellaneous Binary Formats": an entry's file reads as `enabled`, `offset N`, `magic HEX`.
async function readFormat(path: string): Promise<string | undefined> {
  return path.endsWith("/register") || path.endsWith("/status") ? undefined : readFile(path, "utf8");
}

function matches(format: string, header: Buffer): boolean {
  const field = (name: string): string | undefined => new RegExp(`^${name} (\\w+)$`, "m").exec(format)?.[1];
  const magic = field("magic");
  if (!format.startsWith("enabled") || magic === undefined) return false;
  const wanted = Buffer.from(magic, "hex");
  const mask = Buffer.from(field("mask") ?? "ff".repeat(wanted.length), "hex");
  const start = Number(field("offset") ?? 0);
  return wanted.every((byte, index) => (((header[start + index] ?? 0) ^ byte) & (mask[index] ?? 0)) === 0);
}
