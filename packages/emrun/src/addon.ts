import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AnyprocError, unsupported } from "@anyproc/core";

/** Variable that names the addon's file, instead of the platform package. */
export const addonVariable = "ANYPROC_EMRUN_ADDON";

/** What the native addon does. */
export interface Addon {
  /** Copies the payload into a sealed memory file, on a thread of its own. The descriptor is close-on-exec. */
  createMemoryFile(payload: Uint8Array): Promise<{ readonly descriptor: number; readonly digest: string }>;
  /** Closes what the other functions opened. Node's own close() warns, in a worker_thread, of what it has not opened. */
  closeDescriptor(descriptor: number): void;
  /** pipe(2), close-on-exec. */
  createPipe(): { readonly read: number; readonly write: number };
  /**
   * Executes a file in a child process that has these descriptors as 0, 1, 2 and so on (-1: /dev/null), and no
   * others. Gives its pid,
   * which stays its own until `onExit` is called. Throws with the `errno` of what failed, execve(2) included.
   */
  startProcess(
    path: string,
    argv: readonly string[],
    env: readonly string[],
    cwd: string | undefined,
    descriptors: readonly number[],
    onExit: (code: number | null, signal: number | null) => void,
  ): number;
}

let loaded: Addon | AnyprocError | undefined;

/** The addon, or why there is none. Never throws: everything works without it, by temporary files. */
export function loadAddon(): Addon | AnyprocError {
  loaded ??= load();
  return loaded;
}

function load(): Addon | AnyprocError {
  const { platform, arch } = process;
  const override = process.env[addonVariable];
  if (!override) {
    if (platform !== "linux" && platform !== "android") {
      return unsupported("emrun", `memory files on ${platform}`, "payloads run from temporary files");
    }
    if (platform !== "linux" || arch !== "x64") {
      return unsupported(
        "emrun",
        `memory files on ${platform}-${arch}`,
        `the addon comes for linux-x64; build it from the sources and name it in ${addonVariable}`,
      );
    }
  }
  const name = `@anyproc/emrun-${platform}-${arch}`;
  const require = createRequire(import.meta.url);
  try {
    return require(
      override || join(dirname(require.resolve(`${name}/package.json`)), "bin/anyproc-emrun.node"),
    ) as Addon;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return new AnyprocError(
      "ANYPROC_MISSING_PACKAGE",
      override
        ? `${addonVariable}=${override}: cannot be loaded (${reason}): name the addon's file, or unset the variable`
        : `${name} cannot be loaded (${reason}): npm install ${name} (installing with --omit=optional leaves it out)`,
      { cause: error },
    );
  }
}
