import { AnyprocError } from "@anyproc/core";
import type { SyncOptions, SyncReport } from "@anyproc/ssh";
import type { CopyOptions } from "../commands/copy.ts";
import { enterMachine } from "../environments/ssh.ts";
import { megabytes } from "../megabytes.ts";
import { writeErrorLine, writeJson } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { parsePlace } from "./place.ts";
import { reportLosses } from "./report-losses.ts";
import { syncProgressShown } from "./sync-progress.ts";

/** Copies a directory to or from another machine, and tells what could not be kept. */
export async function copyOverSsh(from: string, to: string, options: CopyOptions): Promise<void> {
  const source = parsePlace(from);
  const target = parsePlace(to);
  if (source.kind === target.kind) {
    throw new UsageError(`copy ${from} ${to}: one side is ssh://[USER@]HOST[:PORT]/PATH, the other a directory here`);
  }
  const remote = source.kind === "ssh" ? source : target;
  if (remote.kind !== "ssh") return;
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(interrupted());
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  const machine = await enterMachine(remote.host, options, interrupt.signal);
  const progress = syncProgressShown(options);
  try {
    const rootfs = machine.rootfs(remote.path);
    const syncOptions: SyncOptions = {
      signal: interrupt.signal,
      delete: options.delete ?? false,
      compare: options.checksum ? "checksum" : "time",
      ...(progress && { onProgress: progress.show }),
    };
    const report =
      source.kind === "ssh"
        ? await rootfs.download(to.replace(/^dir:/, ""), syncOptions)
        : await rootfs.upload(source.path, syncOptions);
    progress?.clear();
    tell(report, options);
  } catch (error) {
    progress?.clear();
    throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await machine.close();
  }
}

function interrupted(): AnyprocError {
  return new AnyprocError("ANYPROC_INTERRUPTED", "copy: interrupted: run it again, and it goes on from there");
}

function tell(report: SyncReport, options: CopyOptions): void {
  if (options.json) {
    writeJson(report);
    return;
  }
  reportLosses(report);
  if (options.quiet) return;
  const sent = `${report.sent} ${report.sent === 1 ? "file" : "files"} sent (${megabytes(report.bytes)})`;
  const others = [
    `${report.unchanged} unchanged`,
    ...(report.resumed > 0 ? [`${report.resumed} there from the last time`] : []),
    ...(report.removed > 0 ? [`${report.removed} removed`] : []),
  ];
  writeErrorLine(`anyproc: ${sent}, ${others.join(", ")}, by ${report.transport}`);
}
