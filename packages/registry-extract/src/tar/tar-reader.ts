import { imageError } from "../errors.ts";
import type { ByteString, EntrySink, EntryType, TarEntry } from "./entry.ts";
import { blockSize, damaged, isZeroBlock, number, parseHeader, type RawHeader } from "./header.ts";
import { type PaxRecords, parsePax, paxNumber, paxTime, paxXattrs } from "./pax.ts";
import { checkSparse, paxSparse, readOldSparse, readSparseMap, sparseBytes, sparseSink } from "./sparse.ts";

/** Called for each entry; the sink gets a file's content, undefined passes over it. */
export type OnEntry = (entry: TarEntry) => EntrySink | undefined;

type State = "header" | "extension" | "old sparse" | "sparse map" | "data" | "padding" | "end";

const types: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  D: "directory",
  "6": "fifo",
};

// As Go's archive/tar: a longer extended header is an attack on memory.
const mostExtensionBytes = 1024 * 1024;
const mostId = 0xffff_fffe;

const noRecords: PaxRecords = { values: new Map(), sparse: [] };
const noSink: EntrySink = { write() {}, end() {} };

/**
 * Reads a tar archive that is pushed in, in chunks of any size: POSIX ustar and pax, GNU and old tars. It keeps nothing
 * but the header at hand.
 *
 * @throws ANYPROC_ARCHIVE_INVALID from write() and end()
 */
export class TarReader {
  readonly #onEntry: OnEntry;
  #state: State = "header";
  /** What is collected: a header block, an extended header, a sparse map. */
  #collected: Buffer[] = [];
  #collectedBytes = 0;
  #remaining = 0;
  #padding = 0;
  #position = 0;
  #sink: EntrySink = noSink;
  #extensionType = "";
  #globals: PaxRecords["values"] = new Map();
  #pax: PaxRecords | undefined;
  #longPath: ByteString | undefined;
  #longLinkPath: ByteString | undefined;
  #header: RawHeader | undefined;
  #oldSparse: { readonly map: number[]; readonly size: number } | undefined;
  #sparseSize = 0;

  constructor(onEntry: OnEntry) {
    this.#onEntry = onEntry;
  }

  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== "end") rest = this.#step(rest);
  }

  /** Passes over content that nobody wants: gives the number of bytes that are not to be written here. */
  skip(): number {
    if (this.#sink !== noSink || (this.#state !== "data" && this.#state !== "padding")) return 0;
    const skipped = (this.#state === "data" ? this.#remaining : 0) + this.#padding;
    this.#remaining = 0;
    this.#padding = 0;
    this.#state = "header";
    return skipped;
  }

  /** True when the end of the archive was seen. */
  get isAtEnd(): boolean {
    return this.#state === "end";
  }

  /** Says that nothing more comes. */
  end(): void {
    const isBetweenEntries = this.#state === "header" && this.#collectedBytes === 0 && !this.#hasExtensions();
    if (this.#state !== "end" && !isBetweenEntries && !(this.#state === "padding" && !this.#hasExtensions())) {
      throw damaged("it ends in the middle of an entry: it was cut short");
    }
  }

  /** Takes what it needs from the chunk and returns the rest. */
  #step(chunk: Buffer): Buffer {
    switch (this.#state) {
      case "data":
        return this.#takeData(chunk);
      case "padding": {
        const skipped = Math.min(this.#padding, chunk.length);
        this.#padding -= skipped;
        if (this.#padding === 0) this.#state = "header";
        return chunk.subarray(skipped);
      }
      case "extension":
        return this.#collect(chunk, this.#remaining, (data) => this.#takeExtension(data));
      case "old sparse":
        return this.#collect(chunk, blockSize, (block) => this.#takeOldSparse(block, 0, 21, 504));
      case "sparse map":
        return this.#collect(chunk, this.#collectedBytes - (this.#collectedBytes % blockSize) + blockSize, (data) =>
          this.#takeSparseMap(data),
        );
      default:
        return this.#collect(chunk, blockSize, (block) => this.#takeHeader(block));
    }
  }

  /** Collects up to `wanted` bytes, which may lie across chunks, and hands them over in one piece. */
  #collect(chunk: Buffer, wanted: number, take: (data: Buffer) => void): Buffer {
    const part = chunk.subarray(0, wanted - this.#collectedBytes);
    const rest = chunk.subarray(part.length);
    if (this.#collectedBytes === 0 && part.length === wanted) {
      take(part);
      return rest;
    }
    // A copy: the chunk's memory may be used again by whoever wrote it.
    this.#collected.push(Buffer.from(part));
    this.#collectedBytes += part.length;
    if (this.#collectedBytes === wanted) {
      const data = Buffer.concat(this.#collected, wanted);
      this.#collected = [];
      this.#collectedBytes = 0;
      take(data);
    }
    return rest;
  }

  #takeHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      // One is enough: GNU tar only warns about a lone one.
      if (this.#hasExtensions()) throw damaged("an extended header belongs to no entry");
      this.#state = "end";
      return;
    }
    const header = parseHeader(block);
    if (header.size < 0) throw damaged("an entry's size is negative");
    if ("xgXLK".includes(header.typeFlag)) {
      if (header.size > mostExtensionBytes) throw damaged("an extended header is longer than 1 MiB");
      this.#extensionType = header.typeFlag;
      this.#remaining = header.size;
      this.#padding = paddingOf(header.size);
      this.#state = "extension";
      if (header.size === 0) this.#takeExtension(Buffer.alloc(0));
    } else if (header.typeFlag === "S") {
      this.#header = header;
      this.#oldSparse = { map: [], size: number(block, 483, 495, "realsize") };
      this.#takeOldSparse(block, 386, 4, 482);
    } else {
      this.#begin(header);
    }
  }

  #takeExtension(data: Buffer): void {
    const text = data.toString("latin1", 0, data.includes(0) ? data.indexOf(0) : data.length);
    if (this.#extensionType === "L") this.#longPath = text;
    else if (this.#extensionType === "K") this.#longLinkPath = text;
    else if (this.#extensionType === "g") this.#globals = new Map([...this.#globals, ...parsePax(data).values]);
    else this.#pax = parsePax(data);
    this.#afterData();
  }

  #takeOldSparse(block: Buffer, start: number, count: number, extendedAt: number): void {
    const { map, size } = this.#oldSparse as { map: number[]; size: number };
    readOldSparse(block, start, count, map);
    if (map.length * 16 > mostExtensionBytes) throw damaged("a sparse file has too many pieces");
    if (block[extendedAt] !== 0) {
      this.#state = "old sparse";
      return;
    }
    const header = this.#header as RawHeader;
    this.#oldSparse = undefined;
    checkSparse(map, size);
    if (sparseBytes(map) !== header.size) throw damaged("a sparse file's map does not fit its data");
    this.#begin(header, { map, size });
  }

  #takeSparseMap(data: Buffer): void {
    if (data.length > mostExtensionBytes) throw damaged("a sparse file has too many pieces");
    const map = readSparseMap(data);
    this.#remaining -= blockSize;
    if (!map) {
      if (this.#remaining < blockSize) throw damaged("a sparse file's map is cut short");
      this.#collected = [Buffer.from(data)];
      this.#collectedBytes = data.length;
      return;
    }
    checkSparse(map, this.#sparseSize);
    if (sparseBytes(map) !== this.#remaining) throw damaged("a sparse file's map does not fit its data");
    this.#sink = sparseSink(this.#sink, map);
    this.#beginData();
  }

  #begin(header: RawHeader, oldSparse?: { readonly map: readonly number[]; readonly size: number }): void {
    const pax = this.#recordsOfEntry();
    const longPath = this.#longPath;
    const longLinkPath = this.#longLinkPath;
    this.#pax = undefined;
    this.#longPath = undefined;
    this.#longLinkPath = undefined;

    const declared = pax.values.get("size");
    const archived = !declared ? header.size : paxNumber("size", declared);
    // POSIX pax: a record without a value takes back what others say.
    const path = longPath ?? (pax.values.get("GNU.sparse.name") || pax.values.get("path") || header.path);
    const isOldDirectory = (header.typeFlag === "\0" || header.typeFlag === "0") && path.endsWith("/");
    const type = isOldDirectory ? "directory" : types[header.typeFlag];
    if (type === undefined && header.typeFlag !== "V") {
      throw imageError(
        "ANYPROC_ARCHIVE_INVALID",
        `${JSON.stringify(path)}: is of a type that layers do not have (${JSON.stringify(header.typeFlag)})`,
      );
    }
    // Links and devices have no data, whatever size they state: as Go's archive/tar, which other tools rely on.
    this.#remaining = type === "file" || header.typeFlag === "D" || type === undefined ? archived : 0;
    this.#padding = paddingOf(this.#remaining);
    const sparse = type === "file" ? (oldSparse ?? paxSparse(pax)) : undefined;
    const entry: TarEntry | undefined = type && {
      type,
      path,
      linkPath: longLinkPath ?? (pax.values.get("linkpath") || header.linkPath),
      mode: header.mode & 0o7777,
      uid: id("uid", pax.values, header.uid),
      gid: id("gid", pax.values, header.gid),
      mtime: modificationTime(pax.values, header.mtime),
      size: type === "file" ? (sparse?.size ?? archived) : 0,
      device: header.device,
      xattrs: paxXattrs(pax.values),
    };
    if (entry && (entry.path.includes("\0") || entry.linkPath.includes("\0"))) throw damaged("a name has a NUL in it");
    this.#sink = (entry && this.#onEntry(entry)) ?? noSink;
    if (sparse?.map) {
      if (sparseBytes(sparse.map) !== this.#remaining) throw damaged("a sparse file's map does not fit its data");
      this.#sink = sparseSink(this.#sink, sparse.map);
    } else if (sparse) {
      this.#sparseSize = sparse.size;
      this.#state = "sparse map";
      return;
    }
    this.#beginData();
  }

  /** Those for this entry, and those for all. */
  #recordsOfEntry(): PaxRecords {
    const { values, sparse } = this.#pax ?? noRecords;
    return this.#globals.size === 0 ? { values, sparse } : { values: new Map([...this.#globals, ...values]), sparse };
  }

  #beginData(): void {
    this.#position = 0;
    this.#state = "data";
    if (this.#remaining === 0) this.#finishEntry();
  }

  #takeData(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#remaining);
    this.#sink.write(part, this.#position);
    this.#position += part.length;
    this.#remaining -= part.length;
    if (this.#remaining === 0) this.#finishEntry();
    return chunk.subarray(part.length);
  }

  #finishEntry(): void {
    const sink = this.#sink;
    this.#sink = noSink;
    this.#afterData();
    sink.end();
  }

  #afterData(): void {
    this.#state = this.#padding === 0 ? "header" : "padding";
  }

  #hasExtensions(): boolean {
    return this.#pax !== undefined || this.#longPath !== undefined || this.#longLinkPath !== undefined;
  }
}

function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function id(key: "uid" | "gid", pax: PaxRecords["values"], fallback: number): number {
  const text = pax.get(key);
  const value = text ? paxNumber(key, text) : fallback;
  if (value < 0 || value > mostId) throw damaged(`an entry's ${key} ${value} cannot be`);
  return value;
}

function modificationTime(pax: PaxRecords["values"], fallback: number): TarEntry["mtime"] {
  const text = pax.get("mtime");
  return text ? paxTime("mtime", text) : { seconds: fallback, nanoseconds: 0 };
}
