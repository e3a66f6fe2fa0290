import type { TreePath } from "./directory-tree.ts";

const firstCapacity = 1024;

/**
 * Remembers paths by a hash each, which takes a tenth of the memory that the paths do. Among a million, two have the same
 * with a chance of less than one in ten million; the set then takes the one for the other.
 */
export class PathSet {
  /** Slots of two halves each; 0, 0 is an empty one. */
  #slots = new Uint32Array(2 * firstCapacity);
  #count = 0;

  add(path: TreePath): void {
    if (4 * this.#count > this.#slots.length) this.#grow();
    const [low, high] = hash(path);
    const slot = this.#find(low, high);
    if (this.#isEmpty(slot)) this.#count += 1;
    this.#put(slot, low, high);
  }

  has(path: TreePath): boolean {
    return !this.#isEmpty(this.#find(...hash(path)));
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
    this.#slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const [low, high] = [old[i] as number, old[i + 1] as number];
      if (low !== 0 || high !== 0) this.#put(this.#find(low, high), low, high);
    }
  }
}

/** Two FNV-1a hashes with different beginnings; the lowest bit of one is set, so that a hash is never 0, 0. */
function hash(path: TreePath): [low: number, high: number] {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < path.length; i += 1) {
    const byte = path.charCodeAt(i);
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
  }
  // The last characters would hardly reach the low bits, which choose the slot.
  low ^= low >>> 15;
  return [low >>> 0, (high | 1) >>> 0];
}
