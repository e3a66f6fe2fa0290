import type { ByteString, TarEntry } from "@anyproc/core/tar";
import { CompactMap, type ValueFormat } from "./compact-map.ts";
import type { MemoryBudget } from "./memory-budget.ts";

/** What a directory gets when everything is in place. */
export type DirectoryAttributes = Pick<TarEntry, "mode" | "uid" | "gid" | "mtime" | "xattrs">;

/** Directories by path. */
export type DirectoryTable = CompactMap<DirectoryAttributes>;

type Row = [
  mode: number,
  uid: number,
  gid: number,
  seconds: number,
  nanoseconds: number,
  ...xattrs: [name: ByteString, value: ByteString][],
];

const rows: ValueFormat<DirectoryAttributes> = {
  format({ mode, uid, gid, mtime, xattrs }) {
    const attributes = [...xattrs].map(([name, value]): [ByteString, ByteString] => [name, value.toString("latin1")]);
    return JSON.stringify([mode, uid, gid, mtime.seconds, mtime.nanoseconds, ...attributes] satisfies Row);
  },
  parse(text) {
    const [mode, uid, gid, seconds, nanoseconds, ...attributes] = JSON.parse(text) as Row;
    const xattrs = new Map(attributes.map(([name, value]) => [name, Buffer.from(value, "latin1")]));
    return { mode, uid, gid, mtime: { seconds, nanoseconds }, xattrs };
  },
};

/** An empty table. Images have hundreds of thousands of directories, and few kinds of attributes. */
export function createDirectoryTable(budget: MemoryBudget): DirectoryTable {
  return new CompactMap(budget, rows);
}
