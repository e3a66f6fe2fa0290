import type { ByteString } from "@anyproc/core/tar";
import type { MemoryBudget } from "./memory-budget.ts";
import { createStringHash } from "./string-hash.ts";

const firstSlots = 1024;
const pageBytes = 64 * 1024;

// What lies in front of each string: 32 bits each.
const hashAt = 0;
const lengthAt = 4;
const tagAt = 8;
const previousAt = 12;
const headerBytes = 16;

/**
 * Keeps strings, each once and with a number as its tag, outside of the JavaScript heap: in pages, since memory that
 * grows is copied, and needs room for both. A string is known by its place, which is never 0.
 */
export class StringTable {
  readonly #budget: MemoryBudget;
  readonly #hash = createStringHash();
  /** Places by hash; 0 is an empty slot. */
  #slots: Uint32Array;
  #count = 0;
  readonly #pages: Buffer[] = [];
  #end = 0;
  #last = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
    budget.take(firstSlots * Uint32Array.BYTES_PER_ELEMENT);
    this.#slots = new Uint32Array(firstSlots);
    this.#addPages(1);
    this.#end = headerBytes;
  }

  /** The place of a string; 0 when it is not there. */
  find(text: ByteString): number {
    return this.#slots[this.#slotOf(text, this.#hash(text))] as number;
  }

  /** The place of a string, which is put there if need be, with 0 as its tag. */
  add(text: ByteString): number {
    const hash = this.#hash(text);
    const known = this.#slots[this.#slotOf(text, hash)] as number;
    if (known !== 0) return known;
    if (4 * this.#count >= 3 * this.#slots.length) this.#grow();
    const place = this.#reserve(headerBytes + text.length);
    this.#write(place, hashAt, hash);
    this.#write(place, lengthAt, text.length);
    this.#write(place, tagAt, 0);
    this.#write(place, previousAt, this.#last);
    this.#page(place).write(text, (place % pageBytes) + headerBytes, "latin1");
    this.#slots[this.#slotOf(text, hash)] = place;
    this.#last = place;
    this.#count += 1;
    return place;
  }

  text(place: number): ByteString {
    const start = (place % pageBytes) + headerBytes;
    return this.#page(place).toString("latin1", start, start + this.#read(place, lengthAt));
  }

  tag(place: number): number {
    return this.#read(place, tagAt);
  }

  setTag(place: number, tag: number): void {
    this.#write(place, tagAt, tag);
  }

  /** The places of all strings, of the latest one first. */
  *places(): Generator<number, void, undefined> {
    for (let place = this.#last; place !== 0; place = this.#read(place, previousAt)) yield place;
  }

  /** The slot of a string, or the empty one where it belongs. */
  #slotOf(text: ByteString, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot] as number;
      if (place === 0 || (this.#read(place, hashAt) === hash && this.#isAt(place, text))) return slot;
    }
  }

  #isAt(place: number, text: ByteString): boolean {
    if (this.#read(place, lengthAt) !== text.length) return false;
    const page = this.#page(place);
    const start = (place % pageBytes) + headerBytes;
    for (let i = 0; i < text.length; i += 1) {
      if (page[start + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#budget.take(2 * old.byteLength);
    this.#slots = new Uint32Array(2 * old.length);
    const mask = this.#slots.length - 1;
    for (const place of old) {
      if (place === 0) continue;
      let slot = this.#read(place, hashAt) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place;
    }
    this.#budget.give(old.byteLength);
  }

  /** Room for so many bytes in one piece. */
  #reserve(bytes: number): number {
    const pagesEnd = this.#pages.length * pageBytes;
    if (this.#end + bytes > pagesEnd) {
      this.#addPages(Math.ceil(bytes / pageBytes));
      this.#end = pagesEnd;
    }
    const place = this.#end;
    this.#end += bytes;
    return place;
  }

  /** Pages that lie one after the other: each goes on to the end of the last one, so that what is longer fits. */
  #addPages(count: number): void {
    this.#budget.take(count * pageBytes);
    const memory = Buffer.allocUnsafeSlow(count * pageBytes);
    for (let page = 0; page < count; page += 1) this.#pages.push(memory.subarray(page * pageBytes));
  }

  #page(place: number): Buffer {
    return this.#pages[Math.floor(place / pageBytes)] as Buffer;
  }

  #read(place: number, field: number): number {
    return this.#page(place).readUInt32LE((place % pageBytes) + field);
  }

  #write(place: number, field: number, value: number): void {
    this.#page(place).writeUInt32LE(value, (place % pageBytes) + field);
  }
}
