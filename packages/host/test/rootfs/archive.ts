import { Readable } from "node:stream";
import { endOfArchive, formatHeader, padding, type TarEntry } from "@anyproc/core/tar";

/** An entry for a test; everything but its path has a default. */
export interface Sample extends Partial<TarEntry> {
  readonly path: string;
  readonly content?: string;
}

/** Bytes of an archive, hostile entries and all. */
export function archiveOf(samples: readonly Sample[]): Buffer {
  const blocks = samples.flatMap(({ content = "", ...sample }) => {
    const data = Buffer.from(content);
    const entry: TarEntry = {
      type: "file",
      mode: 0o644,
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
      size: data.length,
      linkPath: "",
      device: { major: 0, minor: 0 },
      xattrs: new Map(),
      ...sample,
    };
    return [formatHeader(entry), data, padding(data.length)];
  });
  return Buffer.concat([...blocks, endOfArchive]);
}

export function streamOf(bytes: Uint8Array, pieceSize = 64 * 1024): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    })(),
    { objectMode: false },
  );
}
