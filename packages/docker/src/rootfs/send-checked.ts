import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkedTar, type TarCheck } from "./tar-check.ts";
import { asUnpackFailure } from "./unpack-failure.ts";

/**
 * Sends an archive to the daemon, checked on its way.
 *
 * @throws the source's own failure; ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH, ANYPROC_NO_SPACE; the signal's reason
 */
export async function sendChecked(
  tar: Readable,
  check: TarCheck,
  signal: AbortSignal | undefined,
  send: (body: Readable) => Promise<void>,
): Promise<void> {
  const checked = checkedTar(check);
  const fed = pipeline(tar, checked, signal ? { signal } : {}).catch(() => {});
  try {
    await send(checked);
  } catch (error) {
    signal?.throwIfAborted();
    throw checked.errored ?? asUnpackFailure(check.name, error);
  } finally {
    checked.destroy();
    tar.destroy();
    await fed;
  }
}
