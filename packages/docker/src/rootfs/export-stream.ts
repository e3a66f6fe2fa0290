import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RootfsExport, RootfsOptions } from "@anyproc/core";
import { dockerError, reasonOf } from "../errors.ts";
import type { Report } from "./tar-check.ts";

/**
 * An export whose stream is there before its source is.
 *
 * @param open the source, and what it goes through
 */
export function exportStream(
  name: string,
  report: Report,
  open: (signal: AbortSignal | undefined) => Promise<readonly [Readable, ...NodeJS.ReadWriteStream[]]>,
  { signal }: RootfsOptions = {},
): RootfsExport {
  const tar = new PassThrough();
  const finished = (async () => {
    signal?.throwIfAborted();
    const stages = await open(signal);
    try {
      await pipeline([...stages, tar], signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw described(name, error, tar.errored !== null || tar.destroyed);
    }
    return report.result;
  })();
  finished.catch((error: Error) => tar.destroy(error));
  // Who reads the stream hears of its failure there, and need not ask for the report.
  tar.on("error", () => {});
  return { tar, report: finished };
}

function described(name: string, error: unknown, isAbandoned: boolean): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("ANYPROC_")) return error;
  if (isAbandoned && code === "ERR_STREAM_PREMATURE_CLOSE") {
    return dockerError("ANYPROC_CLOSED", `${name}: its tar stream was not read to the end`, error);
  }
  return dockerError(
    "ANYPROC_CONNECTION_LOST",
    `${name}: the daemon went away during the export: ${reasonOf(error)}`,
    error,
  );
}
