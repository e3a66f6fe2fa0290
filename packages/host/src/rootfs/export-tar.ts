import { addAbortSignal, Readable } from "node:stream";
import { AnyprocError, type RootfsExport, type RootfsOptions, type RootfsReport } from "@anyproc/core";

// As much as the packer reads of a file at once.
const bufferSize = 256 * 1024;

/** Packs a directory; see HostRootfs.exportTar(). */
export function exportTar(directory: string, options: RootfsOptions): RootfsExport {
  const { signal } = options;
  let packed: RootfsReport | undefined;
  async function* pack(): AsyncGenerator<Buffer, void, undefined> {
    // Who only runs programs need not load what packs archives.
    const [{ Packer }, { ReportBuilder }] = await Promise.all([import("./packer.ts"), import("./report.ts")]);
    const builder = new ReportBuilder();
    yield* new Packer(directory, builder).pack();
    packed = builder.report;
  }
  const tar = Readable.from(pack(), { objectMode: false, highWaterMark: bufferSize });
  const report = new Promise<RootfsReport>((resolve, reject) => {
    tar.once("end", () => resolve(packed as RootfsReport));
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
