import type { RefusedCall } from "@anyproc/proot";
import type { Observer } from "../environments/options.ts";
import { writeErrorLine } from "../output.ts";

/** System calls that were refused to a guest so far. */
export interface Refusals extends Observer {
  readonly calls: readonly RefusedCall[];
}

/** Says on stderr what is refused, and remembers it. */
export function watchRefusals(): Refusals {
  const calls: RefusedCall[] = [];
  return {
    calls,
    onRefusedCall(call) {
      calls.push(call);
      writeErrorLine(`anyproc: ${describe(call)}`);
    },
  };
}

function describe({ call, number, error, pid, program }: RefusedCall): string {
  const subject = call === undefined ? `system call ${number}, which the engine does not know` : `${call} (${number})`;
  const answer = error === undefined ? "passed on to the kernel" : `refused with ${error}`;
  return `${program} (pid ${pid}): ${subject}: ${answer}`;
}
