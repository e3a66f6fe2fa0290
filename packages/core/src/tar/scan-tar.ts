import { blockSize } from "./block.ts";
import type { TarEntry, UnknownEntry } from "./entry.ts";
import { TarReader } from "./tar-reader.ts";

/** An entry, and where it stands in the archive. */
export interface ScannedEntry {
  readonly entry: TarEntry | UnknownEntry;
  /** Where its first header begins, extended ones included. */
  readonly start: number;
  /** Where its content begins; what a file with holes has there is not the file as it is. */
  readonly contentStart: number;
  /** Where the next entry begins. */
  readonly end: number;
}

/**
 * The entries of an archive that can be read at any place; contents are passed over.
 *
 * @param readAt so many bytes from a position on, fewer at the end
 * @throws ANYPROC_ARCHIVE_INVALID
 */
export async function* scanTar(
  readAt: (position: number, length: number) => Promise<Buffer>,
): AsyncGenerator<ScannedEntry, void, undefined> {
  const found: ScannedEntry["entry"][] = [];
  const reader = new TarReader((entry) => {
    found.push(entry);
    return undefined;
  });
  let start = 0;
  let contentStart = 0;
  for (let position = 0; !reader.isAtEnd; ) {
    const block = await readAt(position, blockSize);
    if (block.length === 0) break;
    const isHeader = found.length === 0;
    reader.write(block);
    position += block.length;
    if (isHeader) contentStart = position;
    position += reader.skip();
    if (!reader.isBetweenEntries) continue;
    const entry = found.pop();
    if (entry) yield { entry, start, contentStart, end: position };
    start = position;
  }
  reader.end();
}
