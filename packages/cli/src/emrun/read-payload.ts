import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { UsageError } from "../usage-error.ts";

/** A file that cannot be read, with the exit status that a shell would give. */
export class PayloadFileError extends UsageError {
  override readonly name: string = "PayloadFileError";
  readonly exitCode: 126 | 127;

  constructor(message: string, exitCode: 126 | 127) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The bytes of a file, or of stdin for "-". @throws PayloadFileError */
export async function readPayload(file: string): Promise<Uint8Array> {
  if (file === "-") return buffer(process.stdin);
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    throw new PayloadFileError(
      `${file}: ${isMissing ? "no such file" : `cannot be read (${code})`}: name an executable or a script`,
      isMissing ? 127 : 126,
    );
  }
}
