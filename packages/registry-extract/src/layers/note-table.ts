import type { RootfsMetadataEntry } from "@anyproc/core";
import { bytesOf, toByteString } from "@anyproc/core/tar";
import { CompactMap, type ValueFormat } from "./compact-map.ts";
import type { MemoryBudget } from "./memory-budget.ts";

/** What is written down about a path. */
export type Note = Omit<RootfsMetadataEntry, "path">;

/** Notes by path. */
export type NoteTable = CompactMap<Note>;

type Row = [facts: Omit<Note, "xattrs">, xattrs: Record<string, string>];

const rows: ValueFormat<Note> = {
  format({ xattrs = {}, ...facts }) {
    const values = Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
    return toByteString(JSON.stringify([facts, Object.fromEntries(values)] satisfies Row));
  },
  parse(text) {
    const [facts, values] = JSON.parse(bytesOf(text).toString("utf8")) as Row;
    const xattrs = Object.entries(values).map(([name, value]) => [name, Buffer.from(value, "latin1")]);
    return xattrs.length === 0 ? facts : { ...facts, xattrs: Object.fromEntries(xattrs) };
  },
};

/** An empty table. An image has few owners, and so few kinds of notes. */
export function createNoteTable(budget: MemoryBudget): NoteTable {
  return new CompactMap(budget, rows);
}
