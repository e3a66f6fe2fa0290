import type { ByteReader } from "./byte-reader.ts";
import { blockSize, number } from "./header.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { type PaxRecords, paxNumber, paxValue } from "./pax.ts";

/** A stretch of a file that is in the archive; what lies between stretches is a hole. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
}

/** Where the content of a file goes, and its whole size. */
export interface SparseMap {
  readonly stretches: readonly Stretch[];
  readonly size: number;
  /** Bytes in front of the content that the map itself took. */
  readonly mapSize: number;
}

const mostStretches = 1_000_000;

/** The map of a file that was written with holes, if it was: GNU tar manual, "Storing Sparse Files". */
export async function readSparseMap(
  header: Buffer,
  typeFlag: string,
  records: PaxRecords,
  reader: ByteReader,
): Promise<SparseMap | undefined> {
  if (typeFlag === "S") return gnuMap(header, reader);
  if (paxNumber(records, "GNU.sparse.major") === 1) return mapInContent(records, reader);
  const size = paxNumber(records, "GNU.sparse.size");
  return size === undefined ? undefined : mapInRecords(records, size);
}

/** The name that stands in for a sparse file's own, for programs that do not know the format. */
export function sparseName(records: PaxRecords): string | undefined {
  return paxValue(records, "GNU.sparse.name");
}

// Format 0: the map follows the header.
async function gnuMap(header: Buffer, reader: ByteReader): Promise<SparseMap> {
  const stretches = stretchesIn(header, 386, 4);
  const size = number(header, 483, 12);
  let block = header;
  for (let flagAt = 482; block[flagAt] === 1; flagAt = 504) {
    const next = await reader.take(blockSize);
    if (!next || stretches.length > mostStretches) throw invalidArchive("a map of a sparse file has no end");
    stretches.push(...stretchesIn(next, 0, 21));
    block = next;
  }
  return checked({ stretches, size, mapSize: 0 });
}

function stretchesIn(block: Buffer, offset: number, count: number): Stretch[] {
  return Array.from({ length: count }, (_, index) => ({
    offset: number(block, offset + index * 24, 12),
    length: number(block, offset + index * 24 + 12, 12),
  })).filter(({ offset: at, length }) => at > 0 || length > 0);
}

// Formats 0.0 and 0.1: the map is in the extended header.
function mapInRecords(records: PaxRecords, size: number): SparseMap {
  const map = paxValue(records, "GNU.sparse.map");
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
          .map(([, value]) => value)
      : map.split(",");
  return checked({ stretches: pairs(numbers.map(Number)), size, mapSize: 0 });
}

// Format 1.0: the map stands in front of the content, as lines of decimal numbers.
async function mapInContent(records: PaxRecords, reader: ByteReader): Promise<SparseMap> {
  const numbers: number[] = [];
  let text = "";
  let mapSize = 0;
  while (numbers.length === 0 || numbers.length < 1 + 2 * (numbers[0] ?? 0)) {
    const block = await reader.take(blockSize);
    if (!block || numbers.length > 2 * mostStretches) throw invalidArchive("a map of a sparse file has no end");
    mapSize += blockSize;
    const lines = (text + block.toString("latin1")).split("\n");
    text = lines.pop() ?? "";
    numbers.push(...lines.map(Number));
  }
  const [count = 0, ...rest] = numbers;
  const size = paxNumber(records, "GNU.sparse.realsize") ?? 0;
  return checked({ stretches: pairs(rest.slice(0, 2 * count)), size, mapSize });
}

function pairs(numbers: readonly number[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    stretches.push({ offset: numbers[index] ?? 0, length: numbers[index + 1] ?? 0 });
  }
  return stretches;
}

function checked(map: SparseMap): SparseMap {
  let end = 0;
  for (const { offset, length } of map.stretches) {
    if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= end && length >= 0)) {
      throw invalidArchive("a map of a sparse file is out of order");
    }
    end = offset + length;
  }
  if (!(Number.isSafeInteger(map.size) && end <= map.size)) {
    throw invalidArchive("a map of a sparse file leads beyond its end");
  }
  return map;
}
