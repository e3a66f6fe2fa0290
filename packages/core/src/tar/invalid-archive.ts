import { AnyprocError } from "../errors.ts";

/** The error for an archive that cannot be read. */
export function invalidArchive(reason: string, remedy = "create it or fetch it again"): AnyprocError {
  return new AnyprocError("ANYPROC_ARCHIVE_INVALID", `not a tar archive, or a damaged one: ${reason}: ${remedy}`);
}

const compressions: readonly (readonly [magic: string, name: string])[] = [
  ["\x1f\x8b", "gzip"],
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["\xfd7zXZ\0", "xz"],
  ["BZh", "bzip2"],
];

/** Refuses an archive that begins as compressed data does. @throws ANYPROC_ARCHIVE_INVALID */
export function checkCompression(block: Buffer): void {
  const start = block.toString("latin1", 0, 6);
  const name = compressions.find(([magic]) => start.startsWith(magic))?.[1];
  if (name) throw invalidArchive(`it is compressed with ${name}`, "pipe it through a decompressor first");
}
