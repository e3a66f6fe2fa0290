// How often in the time that a server may stay silent it is looked at, and pinged. A program that was busy itself for
// that long has missed one look, not the server's answer.
const looks = 4;

/** What is watched. */
export interface Watched {
  /** Asks the server for an answer, whichever. */
  readonly ping: () => void;
  /** Called when there was none for so long. */
  readonly onSilence: () => void;
  readonly timeoutMs: number;
}

/** While somebody waits for a server's answer, finds out whether the server is still there at all. */
export class AnswerWatch {
  readonly #watched: Watched;
  #waiting = 0;
  #silentLooks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Somebody waits from now on. */
  enter(): void {
    this.#waiting += 1;
    if (this.#waiting > 1) return;
    this.#silentLooks = 0;
    this.#timer = setInterval(() => this.#look(), this.#watched.timeoutMs / looks);
  }

  leave(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) clearInterval(this.#timer);
  }

  /** The server has said something. */
  readonly hear = (): void => {
    this.#silentLooks = 0;
  };

  #look(): void {
    this.#silentLooks += 1;
    if (this.#silentLooks < looks) {
      this.#watched.ping();
      return;
    }
    clearInterval(this.#timer);
    this.#watched.onSilence();
  }
}
