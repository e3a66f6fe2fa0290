import type { RootfsLoss, RootfsReport } from "@anyproc/core";

const mostListed = 1000;

/** Counts what goes by and collects what is lost on the way. */
export class Report {
  readonly #losses: RootfsLoss[] = [];
  #lossCount = 0;
  entries = 0;
  bytes = 0;

  lose(path: string, what: RootfsLoss["what"], reason: string): void {
    this.#lossCount += 1;
    if (this.#losses.length < mostListed) this.#losses.push({ path, what, reason });
  }

  get result(): RootfsReport {
    return { entries: this.entries, bytes: this.bytes, losses: this.#losses, lossCount: this.#lossCount };
  }
}
