import { mkdir, mkdtemp } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ImageConfig } from "@anyproc/registry-extract";
import type { RunOptions } from "../commands/run.ts";
import { checkImageCommand } from "../environments/image-command.ts";
import { interruptible, libraryOptions, loadImageLibrary } from "./library.ts";
import { progressShown } from "./progress.ts";

/** An image that was unpacked for one run. */
export interface RunnableImage {
  readonly argv: readonly string[];
  /** The options of the run, with what the image says where the command line says nothing. */
  readonly options: RunOptions;
  /** Removes what was unpacked. */
  remove(): Promise<void>;
}

/**
 * Unpacks an image for a run on proot: a directory of its own, so that no run sees what another one changed. Its blobs
 * stay in the cache.
 */
export async function unpackForRun(
  reference: string,
  argv: readonly string[],
  options: RunOptions,
): Promise<RunnableImage> {
  const { pullImage, removeRootfs, imageCommand } = await loadImageLibrary();
  const data = options.dataDir ?? dataDirectory();
  await mkdir(join(data, "run"), { recursive: true });
  const directory = await mkdtemp(join(data, "run/image-"));
  const rootfs = join(directory, "rootfs");
  const remove = (): Promise<void> => removeRootfs(directory);
  // The program's own output has stdout and stderr to itself, unless somebody asks.
  const onProgress = options.verbose || process.stderr.isTTY ? progressShown({ ...options, json: false }) : undefined;
  try {
    const { image } = await interruptible(async (signal) =>
      pullImage(reference, rootfs, {
        ...(await libraryOptions(options, signal)),
        cacheDirectory: join(data, "images"),
        ...(onProgress && { onProgress }),
      }),
    );
    const command = checkImageCommand(reference, imageCommand(image.config, argv));
    return { argv: command, options: withConfig(options, rootfs, image.config), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function withConfig(options: RunOptions, rootfs: string, config: ImageConfig): RunOptions {
  const { image: _, ...rest } = options;
  const workdir = options.workdir ?? (config.workdir || undefined);
  const user = options.user ?? userOf(config.user);
  return {
    ...rest,
    rootfs,
    // Later ones win: those of the command line.
    env: [...config.env.filter((variable) => !variable.startsWith("=")), ...(options.env ?? [])],
    ...(workdir !== undefined && { workdir }),
    ...(user !== undefined && { user }),
  };
}

/** `USER[:GROUP]`: names are looked up inside, where a user's group is known; numbers stay as they are. */
function userOf(text: string): string | undefined {
  if (text === "") return undefined;
  return /^\d+(:\d+)?$/.test(text) ? text : text.split(":")[0];
}

/** Where anyproc keeps what it needs again. */
function dataDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env["ANYPROC_HOME"] || join(env["XDG_DATA_HOME"] || join(homedir(), ".local/share"), "anyproc");
}
