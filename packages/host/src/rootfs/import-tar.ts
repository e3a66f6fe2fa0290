import { addAbortSignal, type Readable } from "node:stream";
import type { RootfsOptions, RootfsReport } from "@anyproc/core";
import { readTar, toByteString } from "@anyproc/core/tar";
import { Applier } from "./apply-entry.ts";
import { ReportBuilder } from "./report.ts";
import { Tree } from "./tree.ts";

/** Unpacks a tar stream into a directory; see HostRootfs.importTar(). */
export async function importTar(directory: string, tar: Readable, options: RootfsOptions): Promise<RootfsReport> {
  const { signal } = options;
  const report = new ReportBuilder();
  const tree = new Tree(toByteString(directory));
  const applier = new Applier(tree, report);
  try {
    signal?.throwIfAborted();
    if (signal) addAbortSignal(signal, tar);
    for await (const { entry, content } of readTar(tar)) {
      await applier.apply(entry, content);
      signal?.throwIfAborted();
    }
    await applier.finish();
    return report.report;
  } catch (error) {
    tar.destroy();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    await tree.restoreModes();
  }
}
