import type { TreePath } from "./directory-tree.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { createStringHash } from "./string-hash.ts";

const firstSlots = 1024;

/**
 * Remembers paths by a hash each, which takes a tenth of the memory that the paths do. Among a million, two have the same
 * with a chance of less than one in ten million; the set then takes the one for the other.
 */
export class PathSet {
  readonly #budget: MemoryBudget;
  readonly #firstHash = createStringHash();
  readonly #secondHash = createStringHash();
  /** Slots of two halves each; 0, 0 is an empty one. */
  #slots: Uint32Array = new Uint32Array(0);
  #count = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** @throws ANYPROC_IMAGE_LIMIT */
  add(path: TreePath): void {
    if (4 * this.#count >= (3 * this.#slots.length) / 2) this.#grow();
    const [low, high] = this.#hash(path);
    const slot = this.#find(low, high);
    if (this.#isEmpty(slot)) this.#count += 1;
    this.#put(slot, low, high);
  }

  has(path: TreePath): boolean {
    return this.#count > 0 && !this.#isEmpty(this.#find(...this.#hash(path)));
  }

  /** Forgets everything. */
  clear(): void {
    this.#budget.give(this.#slots.byteLength);
    this.#slots = new Uint32Array(0);
    this.#count = 0;
  }

  /** The lowest bit of one half is set, so that a hash is never 0, 0. */
  #hash(path: TreePath): [low: number, high: number] {
    return [this.#firstHash(path), (this.#secondHash(path) | 1) >>> 0];
  }

  /** The slot of a hash, or the empty one where it belongs. */
  #find(low: number, high: number): number {
    const mask = this.#slots.length / 2 - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const isSame = this.#slots[2 * slot] === low && this.#slots[2 * slot + 1] === high;
      if (isSame || this.#isEmpty(slot)) return slot;
    }
  }

  #isEmpty(slot: number): boolean {
    return this.#slots[2 * slot] === 0 && this.#slots[2 * slot + 1] === 0;
  }

  #put(slot: number, low: number, high: number): void {
    this.#slots[2 * slot] = low;
    this.#slots[2 * slot + 1] = high;
  }

  #grow(): void {
    const old = this.#slots;
    const length = old.length === 0 ? 2 * firstSlots : 2 * old.length;
    this.#budget.take(length * Uint32Array.BYTES_PER_ELEMENT);
    this.#slots = new Uint32Array(length);
    for (let i = 0; i < old.length; i += 2) {
      const [low, high] = [old[i] as number, old[i + 1] as number];
      if (low !== 0 || high !== 0) this.#put(this.#find(low, high), low, high);
    }
    this.#budget.give(old.byteLength);
  }
}
