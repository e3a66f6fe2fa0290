export { blockSize, endOfArchive, padding } from "./block.ts";
export {
  type ByteString,
  bytesOf,
  type EntryType,
  printable,
  type TarEntry,
  type Timestamp,
  toByteString,
  type UnknownEntry,
} from "./entry.ts";
export { formatGnuHeader } from "./format-gnu-header.ts";
export { formatHeader } from "./format-header.ts";
export { type Header, parseHeader } from "./header.ts";
export { invalidArchive } from "./invalid-archive.ts";
export { type Piece, type ReadEntry, readTar } from "./read-tar.ts";
export { type EntrySink, type OnEntry, TarReader } from "./tar-reader.ts";
