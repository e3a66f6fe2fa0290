import { ByteReader } from "./byte-reader.ts";
import { displayName, type TarEntry, type Timestamp } from "./entry.ts";
import { blockSize, entryType, type Header, hasContent, parseHeader, upToNul } from "./header.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { type PaxRecords, parsePax, parseTimestamp, paxNumber, paxValue } from "./pax.ts";
import { readSparseMap, type Stretch, sparseName } from "./sparse.ts";

/** Bytes of a file and where they go. */
export interface Piece {
  readonly position: number;
  readonly data: Buffer;
}

/** An entry, and its content to be read before the next entry; what is not read is skipped. */
export interface ReadEntry {
  readonly entry: TarEntry;
  readonly content: AsyncIterable<Piece>;
}

// Long names and extended attributes stay far below; a hostile archive shall not fill the memory.
const largestExtension = 16 * 1024 * 1024;
const emptyBlock = Buffer.alloc(blockSize);

/**
 * The entries of an archive: ustar, pax, GNU and V7, sparse files of each kind included.
 *
 * @throws ANYPROC_ARCHIVE_INVALID, also when the marks at the end are missing: then nobody knows what else is
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry, void, undefined> {
  const reader = new ByteReader(source);
  const global: PaxRecords[number][] = [];
  let local: PaxRecords[number][] = [];
  for (let isFirst = true; ; isFirst = false) {
    const block = await reader.take(blockSize);
    if (!block) throw invalidArchive(isFirst ? "it is empty" : "it ends before its end mark");
    if (block.equals(emptyBlock)) break;
    if (isFirst) checkCompression(block);
    const header = parseHeader(block);
    switch (header.typeFlag) {
      case "x":
      case "X":
        local.push(...parsePax(await readExtension(reader, header, local)));
        break;
      case "g":
        global.push(...parsePax(await readExtension(reader, header, global)));
        break;
      case "L":
        local.push(["path", upToNul(await readExtension(reader, header, local))]);
        break;
      case "K":
        local.push(["linkpath", upToNul(await readExtension(reader, header, local))]);
        break;
      case "V": // GNU volume label
        await reader.skip(padded(header.size));
        break;
      default:
        yield* readEntry(reader, block, header, [...global, ...local]);
        local = [];
    }
  }
  await reader.drain();
}

async function* readEntry(
  reader: ByteReader,
  block: Buffer,
  header: Header,
  records: PaxRecords,
): AsyncGenerator<ReadEntry, void, undefined> {
  const stored = paxNumber(records, "size") ?? header.size;
  const sparse = await readSparseMap(block, header.typeFlag, records, reader);
  const entry = toEntry(header, records, sparse?.size ?? stored);
  const size = hasContent(header.typeFlag) ? stored - (sparse?.mapSize ?? 0) : 0;
  if (size < 0) throw invalidArchive(`${displayName(entry.name)} has an impossible size`);
  let left = size;
  const stretches: readonly Stretch[] = sparse?.stretches ?? [{ offset: 0, length: size }];

  async function* content(): AsyncGenerator<Piece, void, undefined> {
    for (const { offset, length } of stretches) {
      let position = offset;
      if (length > left) throw invalidArchive(`${displayName(entry.name)} has less content than its map says`);
      for await (const data of reader.pieces(length)) {
        left -= data.length;
        yield { position, data };
        position += data.length;
      }
    }
  }

  yield { entry, content: content() };
  await reader.skip(left + padded(size) - size);
}

function toEntry(header: Header, records: PaxRecords, size: number): TarEntry {
  const name = sparseName(records) ?? paxValue(records, "path") ?? header.name;
  const stated = entryType(header.typeFlag);
  // V7 had no letter for directories.
  const type = stated === "file" && name.endsWith("/") ? "directory" : stated;
  const mtime = paxValue(records, "mtime");
  return {
    name,
    type,
    mode: header.mode,
    uid: paxNumber(records, "uid") ?? header.uid,
    gid: paxNumber(records, "gid") ?? header.gid,
    mtime: mtime === undefined ? wholeSeconds(header.mtime) : parseTimestamp(mtime),
    size: type === "file" ? size : 0,
    linkName: type === "hard link" || type === "symlink" ? (paxValue(records, "linkpath") ?? header.linkName) : "",
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: records.flatMap(([key]) => /^(?:SCHILY|LIBARCHIVE)\.xattr\.(.+)$/s.exec(key)?.[1] ?? []),
  };
}

async function readExtension(reader: ByteReader, header: Header, earlier: PaxRecords): Promise<Buffer> {
  const { size } = header;
  const held = earlier.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (!(size >= 0 && size + held <= largestExtension)) throw invalidArchive(`a header of ${size} bytes is too large`);
  const data = await reader.take(padded(size));
  if (!data) throw invalidArchive("it ends in the middle of a header");
  return Buffer.from(data.subarray(0, size));
}

function wholeSeconds(seconds: number): Timestamp {
  return { seconds, nanoseconds: 0 };
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

function checkCompression(block: Buffer): void {
  const start = block.toString("latin1", 0, 6);
  const format = [
    ["\x1f\x8b", "gzip"],
    ["\x28\xb5\x2f\xfd", "zstd"],
    ["\xfd7zXZ\0", "xz"],
    ["BZh", "bzip2"],
  ].find(([magic]) => magic !== undefined && start.startsWith(magic))?.[1];
  if (format) throw invalidArchive(`it is compressed with ${format}, so pipe it through a decompressor first, or else`);
}
