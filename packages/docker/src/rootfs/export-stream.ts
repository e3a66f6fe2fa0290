import { type Duplex, PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isAnyprocError, type RootfsExport, type RootfsOptions } from "@anyproc/core";
import { dockerError, reasonOf } from "../errors.ts";
import type { Report } from "./report.ts";

/**
 * An export whose stream is there before its source is.
 *
 * @param open the source, and what it goes through
 */
export function exportStream(
  name: string,
  report: Report,
  open: (signal: AbortSignal | undefined) => Promise<readonly [Readable, ...Duplex[]]>,
  { signal }: RootfsOptions = {},
): RootfsExport {
  const tar = new PassThrough();
  let isAbandoned = false;
  tar.once("close", () => {
    isAbandoned = tar.errored === null && !tar.readableEnded;
  });
  const finished = (async () => {
    signal?.throwIfAborted();
    const stages = await open(signal);
    try {
      await pipeline([...stages, tar], signal ? { signal } : {});
    } catch (error) {
      // A pipeline that could not even begin leaves them as they are.
      for (const stage of stages) stage.destroy();
      signal?.throwIfAborted();
      if (isAbandoned) throw dockerError("ANYPROC_CLOSED", `${name}: its tar stream was not read to the end`, error);
      throw isAnyprocError(error) ? error : lost(name, error);
    }
    return report.result;
  })();
  finished.catch((error: Error) => tar.destroy(error));
  // Who reads the stream hears of its failure there, and need not ask for the report.
  tar.on("error", () => {});
  return { tar, report: finished };
}

function lost(name: string, error: unknown): Error {
  const reason = reasonOf(error);
  return dockerError("ANYPROC_CONNECTION_LOST", `${name}: the daemon went away during the export: ${reason}`, error);
}
