import { AnyprocError } from "@anyproc/core";

/** How a slot is asked for. */
export interface SlotOptions {
  /** Goes before all that wait: for what ends other sessions. @default false */
  readonly isUrgent?: boolean;
  /** When all slots are taken: wait, or fail at once with a RefusedSession. @default true */
  readonly mayWait?: boolean;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** The server refused one more session. */
export class RefusedSession extends AnyprocError {
  constructor(message: string, cause?: unknown) {
    super("ANYPROC_SESSION_REFUSED", message, { cause });
  }
}

interface Waiter {
  readonly take: () => void;
  readonly fail: (error: Error) => void;
}

// sshd_config(5) lets ten sessions run on a connection by default: more at once are only asked for after that many
// have been granted, so that a first burst is not mostly refusals.
const openingLimit = 8;

// A limit that was found is doubted after a while, the longer the more often it was found again.
const firstDoubtMs = 20;
const lastDoubtMs = 1000;

/**
 * Hands out a connection's sessions. How many the server allows is not asked, since no request tells: it shows when
 * the server refuses one while others are open. What is refused then waits for one of those to close.
 */
export class SessionSlots {
  readonly #waiting: Waiter[] = [];
  readonly #onPressure: () => void;
  #limit = Number.POSITIVE_INFINITY;
  #open = 0;
  #opening = 0;
  #wasJustFreed = false;
  #doubtMs = firstDoubtMs;
  #doubt: NodeJS.Timeout | undefined;
  #closed: Error | undefined;

  /** @param onPressure called when somebody waits for a slot */
  constructor(onPressure: () => void) {
    this.#onPressure = onPressure;
  }

  /**
   * Opens a session as soon as the server lets it. `attempt` resolves to what was opened, and calls `release` once when
   * that is over; it rejects with a RefusedSession when the server says no.
   */
  async open<T>(attempt: (release: () => void) => Promise<T>, options: SlotOptions = {}): Promise<T> {
    const { mayWait = true, signal } = options;
    let { isUrgent = false } = options;
    for (;;) {
      if (!mayWait && !this.#isFree) throw new RefusedSession("all sessions that the server allows are in use");
      await this.#enter(isUrgent, signal);
      // What is refused to a session on its own is refused for good.
      const isAlone = this.#open + this.#opening === 1;
      const wasJustFreed = this.#wasJustFreed;
      this.#wasJustFreed = false;
      try {
        const opened = await attempt(() => this.#leave());
        this.#opening -= 1;
        this.#open += 1;
        this.#limit = Math.max(this.#limit, this.#open);
        this.#doubtMs = firstDoubtMs;
        this.#pump();
        return opened;
      } catch (error) {
        this.#opening -= 1;
        const isAtLimit = error instanceof RefusedSession && (!isAlone || wasJustFreed);
        // sshd clears a closed session away only after the requests that came with its end: that one says nothing.
        if (isAtLimit && !wasJustFreed) this.#learnLimit();
        this.#pump();
        if (!isAtLimit || (!mayWait && !wasJustFreed)) throw error;
        isUrgent = true;
      }
    }
  }

  /** Nothing can be opened any more. */
  close(error: Error): void {
    this.#closed ??= error;
    clearTimeout(this.#doubt);
    for (const waiter of this.#waiting.splice(0)) waiter.fail(error);
  }

  get #isFree(): boolean {
    return this.#open + this.#opening < this.#limit;
  }

  #enter(isUrgent: boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed || signal?.aborted) {
        reject(this.#closed ?? signal?.reason);
        return;
      }
      const leaveQueue = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const stopListening = (): void => signal?.removeEventListener("abort", leaveQueue);
      const waiter: Waiter = {
        take() {
          stopListening();
          resolve();
        },
        fail(error) {
          stopListening();
          reject(error);
        },
      };
      signal?.addEventListener("abort", leaveQueue, { once: true });
      if (isUrgent) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      this.#pump();
    });
  }

  #leave(): void {
    this.#open -= 1;
    this.#wasJustFreed = true;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#isFree && this.#opening < openingLimit) {
      this.#opening += 1;
      this.#waiting.shift()?.take();
    }
    if (this.#waiting.length > 0 && !this.#isFree) this.#onPressure();
  }

  #learnLimit(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#open));
    clearTimeout(this.#doubt);
    if (this.#closed) return;
    this.#doubt = setTimeout(() => {
      this.#limit += 1;
      this.#pump();
    }, this.#doubtMs).unref();
    this.#doubtMs = Math.min(lastDoubtMs, this.#doubtMs * 2);
  }
}
