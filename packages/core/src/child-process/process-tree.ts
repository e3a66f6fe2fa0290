import { type ProcessEntry, processTable } from "./process-table.ts";

// A guard, against somebody who is frozen for instance: whoever may be signalled stops as soon as it would go on.
const longestStopMs = 2000;

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
    const deadline = performance.now() + longestStopMs;
    let wasStill = false;
    for (let looks = 1; performance.now() < deadline; looks += 1) {
      const isLarger = await this.look();
      const isStill = [...this.#members.values()].every(
        (member) => member.isStill || this.#unreachable.has(member.pid),
      );
      if (wasStill && isStill && !isLarger) return;
      wasStill = isStill;
      this.signal("SIGSTOP");
      if (looks >= looksWithoutPause) await new Promise((resolve) => setTimeout(resolve, 1));
    }
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
