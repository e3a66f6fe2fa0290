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

  /** The other side has said something. */
  readonly hear = (): void => {
    this.#timer?.refresh();
  };

  /** Runs something that waits for this side, with the clock stopped. */
  async pauseFor<T>(work: () => Promise<T>): Promise<T> {
    this.#clear();
    try {
      return await work();
    } finally {
      this.#start();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  #start(): void {
    if (!this.#stopped) this.#timer = setTimeout(this.#onSilence, this.#timeoutMs);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    // A timer that is refreshed would run again.
    this.#timer = undefined;
  }
}
