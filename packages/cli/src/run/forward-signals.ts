import type { Process, SignalName } from "@anyproc/core";

const forwarded = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/** Which signals are not passed on. */
export interface ForwardOptions {
  readonly except?: (signal: SignalName) => boolean;
}

/**
 * Passes the signals that ask a program to end on to the process, from now on; this process then ends as that one
 * does. Returns what stops it.
 */
export function forwardSignals(running: Pick<Process, "signal">, options: ForwardOptions = {}): () => void {
  const forward = (signal: SignalName): void => {
    // It fails only for a process that never started, which start() reports.
    if (!options.except?.(signal)) running.signal(signal).catch(() => {});
  };
  for (const signal of forwarded) process.on(signal, forward);
  return () => {
    for (const signal of forwarded) process.off(signal, forward);
  };
}
