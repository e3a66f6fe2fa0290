import type { SyncProgress } from "@anyproc/ssh";
import { megabytes } from "../megabytes.ts";
import { type OutputOptions, writeErrorLine } from "../output.ts";

/** Shows how far a copy is, until it is cleared away. */
export interface ProgressShown {
  readonly show: (progress: SyncProgress) => void;
  readonly clear: () => void;
}

// No more often than a person can read a line that is written over and over, or wants to find one more.
const redrawEveryMs = 100;
const nextLineAfterMs = 5000;

/** One line on a terminal; elsewhere a line now and then; nothing where a document or silence is asked for. */
export function syncProgressShown(options: OutputOptions): ProgressShown | undefined {
  if (options.quiet || options.json) return undefined;
  return process.stderr.isTTY ? meter() : lines();
}

function meter(): ProgressShown {
  let drawnAt = 0;
  return {
    show(progress) {
      if (progress.phase === "send" && progress.totalFiles === 0) return;
      if (progress.files < progress.totalFiles && Date.now() - drawnAt < redrawEveryMs) return;
      drawnAt = Date.now();
      process.stderr.write(`\r\x1b[K${describe(progress)}`);
    },
    clear: () => void process.stderr.write("\r\x1b[K"),
  };
}

function lines(): ProgressShown {
  let told: SyncProgress["phase"] | undefined;
  let toldAt = 0;
  return {
    show(progress) {
      if (progress.totalFiles === 0) return;
      if (progress.phase === told && Date.now() - toldAt < nextLineAfterMs) return;
      told = progress.phase;
      toldAt = Date.now();
      writeErrorLine(describe(progress));
    },
    clear() {},
  };
}

function describe({ phase, files, totalFiles, bytes, totalBytes }: SyncProgress): string {
  if (phase === "compare") return "comparing";
  if (phase === "finish") return "putting files in their places";
  return `sending: ${files} of ${totalFiles} files, ${megabytes(bytes)} of ${megabytes(totalBytes)}`;
}
