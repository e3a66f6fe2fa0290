import type { RootfsLoss, RootfsReport } from "@anyproc/core";
import { printable } from "@anyproc/core/tar";

const mostListed = 1000;

// In a whole system every file would have the same thing to say.
const listedOnce: ReadonlySet<RootfsLoss["what"]> = new Set(["owner", "time"]);

/** Counts what was done, and collects what could not be kept. */
export class ReportBuilder {
  readonly #losses: RootfsLoss[] = [];
  readonly #kinds: Set<RootfsLoss["what"]> = new Set();
  #lossCount = 0;
  entries = 0;
  bytes = 0;

  lose(name: string, what: RootfsLoss["what"], reason: string): void {
    this.#lossCount += 1;
    const isListed = this.#losses.length < mostListed && !(this.#kinds.has(what) && listedOnce.has(what));
    if (isListed) this.#losses.push({ path: printable(name), what, reason });
    this.#kinds.add(what);
  }

  get report(): RootfsReport {
    return { entries: this.entries, bytes: this.bytes, losses: this.#losses, lossCount: this.#lossCount };
  }
}
