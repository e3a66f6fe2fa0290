import type { ByteString } from "@anyproc/core/tar";
import type { MemoryBudget } from "./memory-budget.ts";
import { StringTable } from "./string-table.ts";

/** How values become strings, and come back. */
export interface ValueFormat<Value> {
  format(value: Value): ByteString;
  parse(text: ByteString): Value;
}

/**
 * A map from strings to values, of which many are equal: these are kept once. A key that was deleted keeps its memory,
 * for when it comes again.
 */
export class CompactMap<Value> {
  readonly #keys: StringTable;
  readonly #values: StringTable;
  readonly #valueFormat: ValueFormat<Value>;
  #size = 0;

  constructor(budget: MemoryBudget, valueFormat: ValueFormat<Value>) {
    this.#keys = new StringTable(budget);
    this.#values = new StringTable(budget);
    this.#valueFormat = valueFormat;
  }

  get size(): number {
    return this.#size;
  }

  has(key: ByteString): boolean {
    return this.#valueOf(this.#keys.find(key)) !== 0;
  }

  get(key: ByteString): Value | undefined {
    const value = this.#valueOf(this.#keys.find(key));
    return value === 0 ? undefined : this.#valueFormat.parse(this.#values.text(value));
  }

  set(key: ByteString, value: Value): void {
    const place = this.#keys.add(key);
    if (this.#keys.tag(place) === 0) this.#size += 1;
    this.#keys.setTag(place, this.#values.add(this.#valueFormat.format(value)));
  }

  delete(key: ByteString): void {
    const place = this.#keys.find(key);
    if (this.#valueOf(place) === 0) return;
    this.#keys.setTag(place, 0);
    this.#size -= 1;
  }

  /** Everything, what came first at the end: a key comes when it is set for the first time, deleted since or not. */
  *latestFirst(): Generator<[key: ByteString, value: Value], void, undefined> {
    for (const place of this.#keys.places()) {
      const value = this.#valueOf(place);
      if (value !== 0) yield [this.#keys.text(place), this.#valueFormat.parse(this.#values.text(value))];
    }
  }

  /** Where the value of a key is; 0 when it has none. */
  #valueOf(place: number): number {
    return place === 0 ? 0 : this.#keys.tag(place);
  }
}
