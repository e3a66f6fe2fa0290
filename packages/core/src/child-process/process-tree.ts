import { type ProcessEntry, processTable } from "./process-table.ts";

// Guards, against somebody who is frozen for instance: whoever may be signalled stops as soon as it would go on. On a
// busy machine one look can take long, and so can the first turn of who is to stop: neither alone tells that it will not.
const looksWithoutProgress = 20;
const longestWithoutProgressMs = 2000;

// And against who makes processes faster than they can be found.
const maxLooks = 1000;

// Most trees stand still after these; the others have to be given a processor to stop on.
const looksWithoutPause = 3;

/** A child of this process: a ChildProcess, or what runs on a terminal. */
export interface Killable {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * A child and its descendants, as far as the process table shows them: by their parents, and by their session when
 * the child leads one. One that had cut both ties before we looked is out of reach. Pids are checked against start
 * times, so that a reused one is left alone.
 */
export class ProcessTree {
  readonly #child: Killable;
  readonly #root: number;
  readonly #members: Map<number, ProcessEntry> = new Map();
  readonly #unreachable: Set<number> = new Set();

  constructor(child: Killable, root: number) {
    this.#child = child;
    this.#root = root;
  }

  /** True when the last look found nobody who may be signalled. */
  get isGone(): boolean {
    return [...this.#members.keys()].every((pid) => this.#unreachable.has(pid));
  }

  /** Looks who is there now. True when somebody new is. */
  async look(): Promise<boolean> {
    const table = await processTable(this.#root);
    const root = table.get(this.#root);
    if (this.#members.size === 0 && root) this.#members.set(this.#root, root);
    for (const [pid, { startedAt }] of this.#members) {
      const present = table.get(pid);
      if (present?.startedAt === startedAt) this.#members.set(pid, present);
      else this.#members.delete(pid);
    }
    const knownCount = this.#members.size;
    if (knownCount > 0) this.#addDescendants(table);
    return this.#members.size > knownCount;
  }

  /**
   * Stops everybody, so that nobody can start another process unseen while the others are being signalled. It takes
   * two looks that find everybody still: what the first one found may have had a child after that was looked for.
   */
  async stop(): Promise<void> {
    let restless = Number.POSITIVE_INFINITY;
    let lastProgress = { look: 0, at: performance.now() };
    for (let look = 1; look <= maxLooks; look += 1) {
      const wasStill = restless === 0;
      const isLarger = await this.look();
      const count = this.#countRestless();
      if (wasStill && count === 0 && !isLarger) return;
      if (isLarger || count < restless) lastProgress = { look, at: performance.now() };
      restless = count;
      this.signal("SIGSTOP");
      const isStuck = look - lastProgress.look > looksWithoutProgress;
      if (isStuck && performance.now() - lastProgress.at > longestWithoutProgressMs) return;
      if (look >= looksWithoutPause) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #countRestless(): number {
    return [...this.#members.values()].filter(({ isStill, pid }) => !isStill && !this.#unreachable.has(pid)).length;
  }

  /** Sends a signal to everybody. */
  signal(name: NodeJS.Signals): void {
    for (const pid of this.#members.keys()) {
      if (pid === this.#root) {
        this.#child.kill(name);
        continue;
      }
      try {
        process.kill(pid, name);
      } catch {
        // It has ended since, or it has become another user's.
        this.#unreachable.add(pid);
      }
    }
  }

  #addDescendants(table: ReadonlyMap<number, ProcessEntry>): void {
    for (let grew = true; grew; ) {
      grew = false;
      for (const entry of table.values()) {
        const belongs = this.#members.has(entry.parent) || entry.session === this.#root;
        if (!belongs || this.#members.has(entry.pid)) continue;
        this.#members.set(entry.pid, entry);
        grew = true;
      }
    }
  }
}
