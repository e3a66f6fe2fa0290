/** Calls back when the other side has been silent for too long. Time that a person on this side takes does not count. */
export class SilenceTimer {
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(timeoutMs: number, onSilence: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
    this.#start();
  }

  /** Runs something that waits for this side, with the clock stopped. */
  async pauseFor<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#start();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #start(): void {
    if (!this.#stopped) this.#timer = setTimeout(this.#onSilence, this.#timeoutMs);
  }
}
