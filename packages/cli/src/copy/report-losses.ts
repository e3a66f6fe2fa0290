import type { RootfsReport } from "@anyproc/core";
import { writeErrorLine } from "../output.ts";

/** Says on stderr what a copy could not keep. */
export function reportLosses({ losses, lossCount }: RootfsReport): void {
  for (const { path, what, reason } of losses) {
    writeErrorLine(`anyproc: not kept: ${what}${path === "" ? "" : ` of ${path}`}: ${reason}`);
  }
  if (lossCount > losses.length) writeErrorLine(`anyproc: not kept: ${lossCount - losses.length} more`);
}
