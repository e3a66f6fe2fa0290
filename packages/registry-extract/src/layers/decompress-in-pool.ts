import { invalidArchive } from "@anyproc/core/tar";
import type { BlobReader } from "./blob-reader.ts";
import type { NativeFiles } from "./native-files.ts";

const outputBytes = 1024 * 1024;

/**
 * Decompresses with the addon, in the thread pool: one piece while the one before is used here. They lie in two buffers
 * by turns, so that nothing is allocated or collected.
 */
export async function* decompressInPool(
  native: NativeFiles,
  decompressor: object,
  first: Buffer,
  reader: BlobReader,
): AsyncGenerator<Buffer> {
  const outputs = [Buffer.allocUnsafeSlow(outputBytes), Buffer.allocUnsafeSlow(outputBytes)] as const;
  let input = first;
  let isUsed = false;
  let isComplete = false;

  async function next(output: Buffer): Promise<Buffer | undefined> {
    for (;;) {
      const more = isUsed ? await reader.read() : input;
      if (!more) return undefined;
      const piece = await native.decompress(decompressor, more, output);
      input = more.subarray(piece.consumed);
      isUsed = piece.produced < output.length;
      isComplete = piece.isComplete;
      if (piece.produced > 0) return output.subarray(0, piece.produced);
    }
  }

  let coming = next(outputs[0]);
  try {
    for (let turn: 0 | 1 = 1; ; turn = turn === 0 ? 1 : 0) {
      const piece = await coming;
      if (!piece) break;
      coming = next(outputs[turn]);
      // Whoever waits for it gets the failure.
      coming.catch(() => {});
      yield piece;
    }
  } finally {
    // The reader is somebody else's again.
    await coming.catch(() => {});
  }
  if (!isComplete) throw invalidArchive("it is cut short");
}
