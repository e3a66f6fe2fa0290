import type { RunResult } from "./run-error.ts";

/** A payload that runs. */
export interface Background extends AsyncDisposable {
  /** Id on this machine; undefined where there is none. */
  readonly pid: number | undefined;
  /** How it ended, whatever that was. Never rejects, and gives the same object to everyone. */
  readonly done: Promise<RunResult>;
  /** As `done`, but a failure is thrown, unless `reject` is false. @throws RunError (ANYPROC_EXIT) */
  wait(): Promise<RunResult>;
  /** As wait(), but gives up when the signal is aborted; the payload runs on. @throws also the signal's reason */
  waitWithSignal(signal: AbortSignal): Promise<RunResult>;
  /** Ends the payload and its descendants, and resolves when they are gone. No effect once it has ended. */
  cancel(reason?: unknown): Promise<void>;
}

/** Builds a Background over a result that is still to come. */
export function createBackground(
  pid: number | undefined,
  done: Promise<RunResult>,
  abort: (reason?: unknown) => void,
  reject: boolean,
): Background {
  let result: RunResult | undefined;
  void done.then((ended) => {
    result = ended;
  });

  async function wait(): Promise<RunResult> {
    const ended = await done;
    if (ended.error !== undefined && reject) throw ended.error;
    return ended;
  }

  async function waitWithSignal(signal: AbortSignal): Promise<RunResult> {
    // A result that is there goes before an abort.
    if (result !== undefined) return wait();
    signal.throwIfAborted();
    let stop = (): void => {};
    const aborted = new Promise<never>((_resolve, giveUp) => {
      const listener = (): void => giveUp(signal.reason as Error);
      signal.addEventListener("abort", listener, { once: true });
      stop = () => signal.removeEventListener("abort", listener);
    });
    try {
      return await Promise.race([wait(), aborted]);
    } finally {
      stop();
    }
  }

  async function cancel(reason?: unknown): Promise<void> {
    abort(reason);
    await done;
  }

  return { pid, done, wait, waitWithSignal, cancel, [Symbol.asyncDispose]: () => cancel() };
}
