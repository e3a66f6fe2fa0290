import { addAbortSignal, Readable } from "node:stream";
import { AnyprocError, type RootfsExport, type RootfsOptions, type RootfsReport } from "@anyproc/core";
import { chunkSize, Packer } from "./packer.ts";
import { ReportBuilder } from "./report.ts";

/** Packs a directory; see HostRootfs.exportTar(). */
export function exportTar(directory: string, options: RootfsOptions): RootfsExport {
  const { signal } = options;
  const builder = new ReportBuilder();
  const tar = Readable.from(new Packer(directory, builder).pack(), { objectMode: false, highWaterMark: chunkSize });
  const report = new Promise<RootfsReport>((resolve, reject) => {
    tar.once("end", () => resolve(builder.report));
    tar.once("error", (error) => reject(signal?.aborted ? signal.reason : error));
    tar.once("close", () =>
      reject(new AnyprocError("ANYPROC_CLOSED", `${directory}: its tar stream was not read to the end`)),
    );
  });
  // Who has the stream hears of its failure there, and need not ask for the report.
  report.catch(() => {});
  if (signal) addAbortSignal(signal, tar);
  return { tar, report };
}
