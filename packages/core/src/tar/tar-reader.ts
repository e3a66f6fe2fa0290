import { blockSize, isZeroBlock, paddingSize } from "./block.ts";
import { BlockCollector } from "./block-collector.ts";
import type { TarEntry, UnknownEntry } from "./entry.ts";
import { ExtendedHeaders, isExtendedHeader } from "./extended-headers.ts";
import { type Header, parseHeader } from "./header.ts";
import { checkCompression, invalidArchive } from "./invalid-archive.ts";
import { checkSparseMap, LeadingSparseMap, OldSparseMap, type SparseMap, sparseSink } from "./sparse.ts";
import { toEntry } from "./to-entry.ts";

/** Receives a file's content: pieces in order of position, gaps being holes. A piece is valid until write() returns. */
export interface EntrySink {
  write(chunk: Buffer, position: number): void;
  end(): void;
}

/** Called for each entry; the sink gets a file's content, undefined passes over it. */
export type OnEntry = (entry: TarEntry | UnknownEntry) => EntrySink | undefined;

type State = "header" | "extension" | "old sparse map" | "leading sparse map" | "data" | "padding" | "end";

const noSink: EntrySink = { write() {}, end() {} };

/**
 * Reads a tar archive that is pushed in, in chunks of any size: POSIX ustar and pax, GNU and old tars, files with holes.
 * It keeps nothing but the header at hand, and what an extended header or a map of holes may take is bounded.
 *
 * @throws ANYPROC_ARCHIVE_INVALID from write() and end()
 */
export class TarReader {
  readonly #onEntry: OnEntry;
  readonly #extended = new ExtendedHeaders();
  readonly #collector = new BlockCollector();
  #state: State = "header";
  #isFirst = true;
  /** Bytes of content, or of an extended header, that are to come. */
  #remaining = 0;
  #padding = 0;
  #position = 0;
  #sink: EntrySink = noSink;
  #header: Header | undefined;
  #oldMap: OldSparseMap | undefined;
  #leadingMap: LeadingSparseMap | undefined;
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

  /** True when the archive's end mark was seen. */
  get isAtEnd(): boolean {
    return this.#state === "end";
  }

  /** Says that nothing more comes. An archive without an end mark may end between two entries: isAtEnd tells. */
  end(): void {
    if (this.#state === "end") return;
    const isWhole = (this.#state === "header" && this.#collector.isEmpty) || this.#state === "padding";
    if (!isWhole || this.#extended.isPending) {
      throw invalidArchive("it ends in the middle of an entry: it was cut short");
    }
  }

  /** Takes what it needs from the chunk and returns the rest. */
  #step(chunk: Buffer): Buffer {
    switch (this.#state) {
      case "data":
        return this.#takeData(chunk);
      case "padding":
        return this.#takePadding(chunk);
      case "extension":
        return this.#collector.collect(chunk, this.#remaining, (data) => this.#takeExtension(data));
      case "old sparse map":
        return this.#collector.collect(chunk, blockSize, (block) => this.#takeOldMap(block));
      case "leading sparse map":
        return this.#collector.collect(chunk, blockSize, (block) => this.#takeLeadingMap(block));
      default:
        return this.#collector.collect(chunk, blockSize, (block) => this.#takeHeader(block));
    }
  }

  #takeHeader(block: Buffer): void {
    if (this.#isFirst) checkCompression(block);
    this.#isFirst = false;
    if (isZeroBlock(block)) {
      // One is enough: GNU tar only warns about a lone one.
      if (this.#extended.isPending) throw invalidArchive("an extended header belongs to no entry");
      this.#state = "end";
      return;
    }
    const header = parseHeader(block);
    this.#header = header;
    if (isExtendedHeader(header.typeFlag)) {
      this.#extended.checkSize(header.size);
      this.#remaining = header.size;
      this.#padding = paddingSize(header.size);
      this.#state = "extension";
      if (header.size === 0) this.#takeExtension(Buffer.alloc(0));
    } else if (header.typeFlag === "S") {
      this.#oldMap = new OldSparseMap(block);
      this.#afterOldMap(this.#oldMap);
    } else {
      this.#begin(header);
    }
  }

  #takeExtension(data: Buffer): void {
    this.#extended.add((this.#header as Header).typeFlag, data);
    this.#afterContent();
  }

  #takeOldMap(block: Buffer): void {
    const map = this.#oldMap as OldSparseMap;
    map.add(block);
    this.#afterOldMap(map);
  }

  #afterOldMap(map: OldSparseMap): void {
    if (map.isComplete) this.#begin(this.#header as Header, map);
    else this.#state = "old sparse map";
  }

  #begin(header: Header, oldMap?: OldSparseMap): void {
    const { entry, archived, sparse } = toEntry(header, this.#extended.take(), oldMap);
    this.#remaining = archived;
    this.#padding = paddingSize(archived);
    // GNU's volume labels are no entries.
    this.#sink = (header.typeFlag === "V" ? undefined : this.#onEntry(entry)) ?? noSink;
    if (sparse?.map) {
      this.#beginSparse(sparse.map, sparse.size);
    } else if (sparse) {
      this.#sparseSize = sparse.size;
      this.#leadingMap = new LeadingSparseMap();
      this.#awaitLeadingMap();
    } else {
      this.#beginContent();
    }
  }

  #awaitLeadingMap(): void {
    if (this.#remaining < blockSize) throw invalidArchive("a sparse file's map is cut short");
    this.#state = "leading sparse map";
  }

  #takeLeadingMap(block: Buffer): void {
    const map = this.#leadingMap as LeadingSparseMap;
    map.add(block);
    this.#remaining -= blockSize;
    if (map.isComplete) this.#beginSparse(map.map, this.#sparseSize);
    else this.#awaitLeadingMap();
  }

  #beginSparse(map: SparseMap, size: number): void {
    checkSparseMap(map, size, this.#remaining);
    if (this.#sink !== noSink) this.#sink = sparseSink(this.#sink, map);
    this.#beginContent();
  }

  #beginContent(): void {
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

  #takePadding(chunk: Buffer): Buffer {
    const skipped = Math.min(this.#padding, chunk.length);
    this.#padding -= skipped;
    if (this.#padding === 0) this.#state = "header";
    return chunk.subarray(skipped);
  }

  #finishEntry(): void {
    const sink = this.#sink;
    this.#sink = noSink;
    this.#afterContent();
    sink.end();
  }

  #afterContent(): void {
    this.#state = this.#padding === 0 ? "header" : "padding";
  }
}
