import { writeFile } from "node:fs/promises";
import type { PullOptions } from "../commands/pull.ts";
import { UsageError } from "../usage-error.ts";
import { interruptible, libraryOptions, loadImageLibrary } from "./library.ts";
import { progressShown } from "./progress.ts";

/** Unpacks an image: `anyproc pull`. */
export async function pull(reference: string, directory: string, options: PullOptions): Promise<void> {
  const { pullImage } = await loadImageLibrary();
  const { include, exclude, stripComponents, maxBytes, maxEntries, maxMemory, configOut } = options;
  const onProgress = progressShown(options);
  const { image } = await interruptible(async (signal) =>
    pullImage(reference, directory, {
      ...(await libraryOptions(options, signal)),
      ...(include && { include }),
      ...(exclude && { exclude }),
      ...(stripComponents !== undefined && { stripComponents }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(maxEntries !== undefined && { maxEntries }),
      ...(maxMemory !== undefined && { maxMemoryBytes: maxMemory }),
      ...(onProgress && { onProgress }),
    }),
  );
  if (configOut === undefined) return;
  try {
    await writeFile(configOut, `${JSON.stringify(image.config, undefined, 2)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--config-out ${configOut}: ${reason}: name a file that can be written`);
  }
}
