import type { TarEntry, UnknownEntry } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { TarReader } from "./tar-reader.ts";

/** Bytes of a file and where they go; what lies between two pieces is a hole. */
export interface Piece {
  readonly position: number;
  readonly data: Buffer;
}

/** An entry, and its content to be read before the next entry; what is not read is passed over. */
export interface ReadEntry {
  readonly entry: TarEntry | UnknownEntry;
  readonly content: AsyncIterable<Piece>;
}

const endOfEntry = "end of entry";
type Token = TarEntry | UnknownEntry | Piece | typeof endOfEntry;

/**
 * The entries of an archive that streams in. The stream is read to its end, so that who writes it can finish.
 *
 * @throws ANYPROC_ARCHIVE_INVALID, also when the end mark is missing: then nobody knows what else is
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry, void, undefined> {
  const tokens = tokensOf(source);
  try {
    for (let next = await tokens.next(); !next.done; next = await tokens.next()) {
      let isOver = false;
      const take = async (): Promise<Piece | undefined> => {
        const { value } = await tokens.next();
        if (value && value !== endOfEntry && "data" in value) return value;
        isOver = true;
        return undefined;
      };
      async function* content(): AsyncGenerator<Piece, void, undefined> {
        while (!isOver) {
          const piece = await take();
          if (piece) yield piece;
        }
      }
      yield { entry: next.value as TarEntry | UnknownEntry, content: content() };
      while (!isOver) await take();
    }
  } finally {
    await tokens.return();
  }
}

async function* tokensOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Token, void, undefined> {
  let tokens: Token[] = [];
  const reader = new TarReader((entry) => {
    tokens.push(entry);
    return {
      write: (data, position) => void tokens.push({ data, position }),
      end: () => void tokens.push(endOfEntry),
    };
  });
  for await (const chunk of source) {
    let failure: unknown;
    try {
      if (!(chunk instanceof Uint8Array)) throw invalidArchive("its stream gives text", "leave out setEncoding()");
      reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    } catch (error) {
      failure = error;
    }
    // What came before the damage is whole.
    for (const token of tokens) yield token;
    tokens = [];
    if (failure !== undefined) throw failure;
  }
  reader.end();
  if (!reader.isAtEnd) throw invalidArchive("it ends before its end mark");
}
