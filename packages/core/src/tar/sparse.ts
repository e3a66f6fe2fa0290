import { blockSize } from "./block.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { readCount } from "./numbers.ts";
import { type PaxRecords, paxCount } from "./pax.ts";
import type { EntrySink } from "./tar-reader.ts";

/** Where the data of a file with holes goes: pairs of offset and length, in order. */
export type SparseMap = readonly number[];

/** What an extended header says about a file with holes. */
export interface PaxSparse {
  /** Size with the holes. */
  readonly size: number;
  /** Undefined: the map stands before the data (format 1.0). */
  readonly map: SparseMap | undefined;
}

// 16 MB of numbers; a longer map is an attack on memory.
const mostPieces = 1_000_000;

/** Reads GNU's sparse formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */
export function paxSparse(
  get: (key: string) => string | undefined,
  pairs: PaxRecords["sparse"],
): PaxSparse | undefined {
  const size = get("GNU.sparse.realsize") ?? get("GNU.sparse.size");
  if (size === undefined) return undefined;
  const realSize = paxCount("GNU.sparse.size", size);
  if (get("GNU.sparse.major") === "1") return { size: realSize, map: undefined };
  const text = get("GNU.sparse.map");
  const map = text === undefined ? pairs : text.split(",").map((part) => paxCount("GNU.sparse.map", part));
  return { size: realSize, map };
}

/** The map of a file in GNU's old format (type S), which begins in the header and goes on in blocks after it. */
export class OldSparseMap {
  readonly size: number;
  readonly map: number[] = [];
  isComplete: boolean;

  constructor(header: Buffer) {
    this.size = readCount(header, 483, 495, "realsize");
    this.isComplete = this.#read(header, 386, 4, 482);
  }

  add(block: Buffer): void {
    this.isComplete = this.#read(block, 0, 21, 504);
  }

  /** An empty pair ends what a block says; a byte behind the pairs tells whether another block follows. */
  #read(block: Buffer, start: number, count: number, flagAt: number): boolean {
    for (let pair = 0; pair < count; pair += 1) {
      const at = start + pair * 24;
      if (block[at + 12] === 0) break;
      this.map.push(
        readCount(block, at, at + 12, "sparse.offset"),
        readCount(block, at + 12, at + 24, "sparse.numbytes"),
      );
    }
    if (this.map.length > 2 * mostPieces) throw tooManyPieces();
    return block[flagAt] === 0;
  }
}

/**
 * The map that stands before the data in format 1.0: decimal lines, the first one being the number of pairs, padded to
 * whole blocks.
 */
export class LeadingSparseMap {
  readonly map: number[] = [];
  isComplete = false;
  #pairs: number | undefined;
  #line = "";

  add(block: Buffer): void {
    const lines = (this.#line + block.toString("latin1", 0, blockSize)).split("\n");
    this.#line = lines.pop() as string;
    for (const line of lines) {
      if (this.isComplete) return;
      this.#take(paxCount("GNU.sparse map", line));
    }
    // No safe integer has more digits.
    if (!this.isComplete && this.#line.length > 16) throw invalidArchive("a line of a sparse file's map has no end");
  }

  #take(number: number): void {
    if (this.#pairs === undefined) this.#pairs = number;
    else this.map.push(number);
    if (this.#pairs > mostPieces) throw tooManyPieces();
    this.isComplete = this.map.length === 2 * this.#pairs;
  }
}

/**
 * Checks a map against the size that the file is to have, and the bytes that the archive holds of it.
 *
 * @throws ANYPROC_ARCHIVE_INVALID for pieces that overlap, or lie outside of the file
 */
export function checkSparseMap(map: SparseMap, size: number, archived: number): void {
  let end = 0;
  let sum = 0;
  for (let at = 0; at < map.length; at += 2) {
    const offset = map[at] as number;
    const length = map[at + 1];
    if (length === undefined || offset < end || offset + length > size) {
      throw invalidArchive("a sparse file's map is wrong");
    }
    end = offset + length;
    sum += length;
  }
  if (sum !== archived) throw invalidArchive("a sparse file's map does not fit its data");
}

/** Puts data that comes in one piece to the places of a map. */
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

function tooManyPieces(): Error {
  return invalidArchive(`a sparse file has more than ${mostPieces} pieces`);
}
