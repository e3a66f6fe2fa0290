import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ImageOptions as LibraryOptions } from "@anyproc/registry-extract";
import type { ImageOptions } from "../commands/image-options.ts";
import { loadPackage } from "../environments/load-package.ts";
import { UsageError } from "../usage-error.ts";

/** The package that knows images. */
export type ImageLibrary = typeof import("@anyproc/registry-extract");

/** Loads it, since it need not be installed. */
export function loadImageLibrary(): Promise<ImageLibrary> {
  return loadPackage("@anyproc/registry-extract", () => import("@anyproc/registry-extract"));
}

/** The options of the command line in the library's words. */
export async function libraryOptions(options: ImageOptions, signal: AbortSignal): Promise<LibraryOptions> {
  const { platform, plainHttp, ca, offline, dataDir } = options;
  const credentials = await credentialsOf(options);
  return {
    signal,
    ...(platform !== undefined && { platform }),
    ...(plainHttp !== undefined && { plainHttp }),
    ...(ca && { caFiles: ca }),
    ...(offline !== undefined && { offline }),
    ...(dataDir !== undefined && { cacheDirectory: join(dataDir, "images") }),
    ...(credentials && { credentials }),
  };
}

async function credentialsOf({ username, passwordStdin }: ImageOptions): Promise<LibraryOptions["credentials"]> {
  if (username === undefined && !passwordStdin) return undefined;
  if (username === undefined) throw new UsageError("--password-stdin: whose password is it? Add --username NAME");
  if (!passwordStdin) {
    throw new UsageError("--username: there is no password: pass it on stdin with --password-stdin, or docker login");
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  return { username, password };
}

/** Aborts on SIGINT and SIGTERM, so that nothing half-made stays behind; the exit status is a shell's then. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    received = signal;
    controller.abort(new Error(signal));
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
    // What was asked to end ends as it was asked to, which the caller can see.
    if (received) process.kill(process.pid, received);
  }
}
