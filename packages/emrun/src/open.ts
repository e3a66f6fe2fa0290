import { AnyprocError } from "@anyproc/core";
import { joinErrors } from "./join-errors.ts";
import { createMemoryFile } from "./memory-file.ts";
import type { PayloadFile } from "./payload-file.ts";
import { OpenedPayload, type Runnable } from "./runnable.ts";
import { createTemporaryFile } from "./temporary-file.ts";

/** How a payload is opened. */
export interface OpenOptions {
  /** Use a temporary file from the start, not anonymous memory. @default false */
  readonly tempFile?: boolean;
  /** Where temporary files are made, for `tempFile` and where memory cannot be used. @default os.tmpdir() */
  readonly tempDirectory?: string;
}

/**
 * Takes a payload, an executable or a script, into anonymous memory: a memory file that is named by the payload's
 * SHA-256 and sealed, so that the bytes that were hashed are the bytes that run. Where there can be none, a temporary
 * file takes its place, and `fallbackReason` says why.
 *
 * Neither change nor transfer the bytes until the promise is settled.
 *
 * @throws ANYPROC_EMRUN_EMPTY; ANYPROC_EMRUN_TEMPORARY_FILE when a temporary file is needed and cannot be written
 * @example
 * await using tool = await open(await readFile("tool"));
 * const { combinedOutput } = await run(tool, ["--version"]);
 */
export async function open(payload: Uint8Array, options: OpenOptions = {}): Promise<Runnable> {
  return openPayload(payload, options);
}

/** open(), with what runners need besides. */
export async function openPayload(payload: Uint8Array, options: OpenOptions): Promise<OpenedPayload> {
  const { tempFile = false, tempDirectory } = options;
  if (!(payload instanceof Uint8Array)) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `the payload is of type ${typeof payload}: give its bytes in a Uint8Array; do() takes a script as text`,
    );
  }
  if (payload.length === 0) {
    throw new AnyprocError("ANYPROC_EMRUN_EMPTY", "payload is empty: give the bytes of an executable or a script");
  }
  const bytes = withFixedSize(payload);
  const size = bytes.length;
  if (tempFile) return new OpenedPayload(await createTemporaryFile(bytes, tempDirectory), size);
  try {
    return new OpenedPayload(await createMemoryFile(bytes), size, tempDirectory);
  } catch (reason) {
    if (!(reason instanceof AnyprocError)) throw reason;
    return new OpenedPayload(await createFallback(bytes, tempDirectory, reason), size, tempDirectory, reason);
  }
}

/** The memory of a buffer that shrinks is taken away from who reads it on another thread. */
function withFixedSize(payload: Uint8Array): Uint8Array {
  const { resizable = false } = payload.buffer as { readonly resizable?: boolean };
  return resizable ? Uint8Array.from(payload) : payload;
}

async function createFallback(
  payload: Uint8Array,
  directory: string | undefined,
  reason: AnyprocError,
): Promise<PayloadFile> {
  try {
    return await createTemporaryFile(payload, directory);
  } catch (error) {
    const both = joinErrors(reason, error);
    throw new AnyprocError("ANYPROC_EMRUN_TEMPORARY_FILE", both.message, { cause: both });
  }
}
