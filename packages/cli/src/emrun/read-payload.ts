import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { PayloadError } from "./payload-error.ts";

/** The bytes of a file, or of stdin for "-". @throws PayloadError */
export async function readPayload(file: string): Promise<Uint8Array> {
  if (file === "-") return buffer(process.stdin);
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    throw new PayloadError(
      `${file}: ${isMissing ? "no such file" : `cannot be read (${code})`}: name an executable or a script`,
      "ANYPROC_INVALID_OPTION",
      isMissing ? 127 : 126,
    );
  }
}
