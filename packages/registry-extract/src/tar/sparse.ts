import type { EntrySink } from "./entry.ts";
import { damaged, number } from "./header.ts";
import { type PaxRecords, paxNumber } from "./pax.ts";

/** Where the data of a sparse file goes: pairs of offset and length. */
export type SparseMap = readonly number[];

/** What an extended header says about a sparse file. */
export interface PaxSparse {
  /** Size with the holes. */
  readonly size: number;
  /** Undefined: the map stands before the data (format 1.0). */
  readonly map: SparseMap | undefined;
}

/** Reads GNU's sparse formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */
export function paxSparse({ values, sparse }: PaxRecords): PaxSparse | undefined {
  const size = values.get("GNU.sparse.realsize") ?? values.get("GNU.sparse.size");
  if (size === undefined) return undefined;
  const realSize = paxNumber("GNU.sparse.size", size);
  if (values.get("GNU.sparse.major") === "1") return { size: realSize, map: undefined };
  const text = values.get("GNU.sparse.map");
  const map = text === undefined ? sparse : text.split(",").map((part) => paxNumber("GNU.sparse.map", part));
  return { size: realSize, map: checkSparse(map, realSize) };
}

/** Reads the offset and length pairs of GNU's old sparse headers (type S); an empty one ends the list. */
export function readOldSparse(block: Buffer, start: number, count: number, map: number[]): void {
  for (let i = 0; i < count; i += 1) {
    const at = start + i * 24;
    const length = number(block, at + 12, at + 24, "sparse.numbytes");
    if (block[at + 12] === 0) return;
    map.push(number(block, at, at + 12, "sparse.offset"), length);
  }
}

/** @throws ANYPROC_ARCHIVE_INVALID for pieces that overlap, or lie outside of the file */
export function checkSparse(map: SparseMap, size: number): SparseMap {
  let end = 0;
  for (let i = 0; i < map.length; i += 2) {
    const offset = map[i] as number;
    const length = map[i + 1];
    if (length === undefined || offset < end || offset + length > size) throw damaged("a sparse file's map is wrong");
    end = offset + length;
  }
  return map;
}

/** Bytes that the archive holds of a sparse file. */
export function sparseBytes(map: SparseMap): number {
  let sum = 0;
  for (let i = 1; i < map.length; i += 2) sum += map[i] as number;
  return sum;
}

/** Puts data that comes in one piece to the places of a sparse map. */
export function sparseSink(sink: EntrySink, map: SparseMap): EntrySink {
  let piece = 0;
  let done = 0;
  return {
    write(chunk) {
      let rest = chunk;
      while (rest.length > 0 && piece < map.length) {
        const length = map[piece + 1] as number;
        const part = rest.subarray(0, length - done);
        if (part.length > 0) sink.write(part, (map[piece] as number) + done);
        done += part.length;
        rest = rest.subarray(part.length);
        if (done === length) {
          piece += 2;
          done = 0;
        }
      }
    },
    end: () => sink.end(),
  };
}

/**
 * Reads the map that stands before the data in format 1.0: decimal lines, the first one being the number of pairs,
 * padded to whole blocks. Undefined while more is needed.
 */
export function readSparseMap(data: Buffer): SparseMap | undefined {
  const numbers: number[] = [];
  let position = 0;
  do {
    const end = data.indexOf(0x0a, position);
    if (end < 0) return undefined;
    numbers.push(paxNumber("GNU.sparse map", data.toString("latin1", position, end)));
    position = end + 1;
  } while (numbers.length < 1 + (numbers[0] as number) * 2);
  return numbers.slice(1);
}
