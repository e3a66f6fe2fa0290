import type { ByteString, TarEntry } from "@anyproc/core/tar";
import { detached } from "./host-path.ts";
import { XattrCounter } from "./limits.ts";

/** What a directory gets when everything is in place. */
export type DirectoryAttributes = Pick<TarEntry, "mode" | "uid" | "gid" | "mtime" | "xattrs">;

type Xattrs = DirectoryAttributes["xattrs"];

type Row = [mode: number, uid: number, gid: number, seconds: number, nanoseconds: number];

const noXattrs: Xattrs = new Map();
const columns = 5;
const pageRows = 1024;

/** Directories by path. Images have hundreds of thousands: each takes its path and one row of numbers. */
export class DirectoryTable {
  readonly #rows = new Map<ByteString, number>();
  readonly #freeRows: number[] = [];
  readonly #xattrs = new Map<ByteString, Xattrs>();
  readonly #xattrCounter = new XattrCounter();
  /** In pages, since an array that grows is copied, and needs room for both. */
  readonly #pages: Float64Array[] = [];

  has(path: ByteString): boolean {
    return this.#rows.has(path);
  }

  get(path: ByteString): DirectoryAttributes | undefined {
    const row = this.#rows.get(path);
    if (row === undefined) return undefined;
    const [mode, uid, gid, seconds, nanoseconds] = this.#numbers(row) as Iterable<number> as Row;
    return { mode, uid, gid, mtime: { seconds, nanoseconds }, xattrs: this.#xattrs.get(path) ?? noXattrs };
  }

  set(path: ByteString, { mode, uid, gid, mtime, xattrs }: DirectoryAttributes): void {
    const row = this.#rows.get(path) ?? this.#add(path);
    this.#numbers(row).set([mode, uid, gid, mtime.seconds, mtime.nanoseconds] satisfies Row);
    this.#xattrs.delete(path);
    if (xattrs.size === 0) return;
    this.#xattrCounter.add(xattrs.values());
    this.#xattrs.set(detached(path), xattrs);
  }

  delete(path: ByteString): void {
    const row = this.#rows.get(path);
    if (row === undefined) return;
    this.#freeRows.push(row);
    this.#rows.delete(path);
    this.#xattrs.delete(path);
  }

  paths(): IterableIterator<ByteString> {
    return this.#rows.keys();
  }

  #add(path: ByteString): number {
    const row = this.#freeRows.pop() ?? this.#rows.size;
    this.#rows.set(detached(path), row);
    return row;
  }

  #numbers(row: number): Float64Array {
    const number = Math.floor(row / pageRows);
    const page = this.#pages[number] ?? new Float64Array(columns * pageRows);
    this.#pages[number] = page;
    const start = columns * (row % pageRows);
    return page.subarray(start, start + columns);
  }
}
