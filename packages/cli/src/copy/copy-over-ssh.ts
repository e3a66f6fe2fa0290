import { setTimeout as delay } from "node:timers/promises";
import { AnyprocError } from "@anyproc/core";
import type { SyncOptions, SyncProgress, SyncReport } from "@anyproc/ssh";
import type { CopyOptions } from "../commands/copy.ts";
import { enterMachine } from "../environments/ssh.ts";
import { writeErrorLine, writeJson } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { parsePlace } from "./place.ts";
import { reportLosses } from "./report-losses.ts";

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
  const machine = await enterMachine(remote.host, options);
  try {
    const rootfs = machine.rootfs(remote.path);
    const meter = options.quiet || options.json || !process.stderr.isTTY ? undefined : progressMeter();
    const syncOptions: SyncOptions = {
      signal: interrupt.signal,
      delete: options.delete ?? false,
      compare: options.checksum ? "checksum" : "time",
      ...(meter && { onProgress: meter.show }),
    };
    const report =
      source.kind === "ssh"
        ? await rootfs.download(to.replace(/^dir:/, ""), syncOptions)
        : await rootfs.upload(source.path, syncOptions);
    meter?.clear();
    tell(report, options);
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
  const removed = report.removed > 0 ? `, ${report.removed} removed` : "";
  writeErrorLine(
    `anyproc: ${report.sent} files sent (${report.bytes} bytes), ${report.unchanged} unchanged${removed}, by ${report.transport}`,
  );
}

/** One line that is written over and over, no more often than a person can read it. */
function progressMeter(): { show: (progress: SyncProgress) => void; clear: () => void } {
  const atMostEveryMs = 100;
  let isResting = false;
  return {
    show({ phase, files, totalFiles, bytes, totalBytes }) {
      if (isResting) return;
      isResting = true;
      void delay(atMostEveryMs, undefined, { ref: false }).then(() => {
        isResting = false;
      });
      process.stderr.write(`\r\x1b[K${phase}: ${files}/${totalFiles} files, ${bytes}/${totalBytes} bytes`);
    },
    clear: () => void process.stderr.write("\r\x1b[K"),
  };
}
