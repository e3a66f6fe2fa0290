import { endOfArchive, formatHeader, padding, readTar, type TarEntry } from "@anyproc/core/tar";

/** An entry as tests write it: everything has a default. */
export interface EntryInput extends Partial<Omit<TarEntry, "xattrs">> {
  readonly path: string;
  readonly content?: string | Buffer;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A tar archive. */
export function archive(inputs: readonly EntryInput[]): Buffer {
  const parts = inputs.flatMap(({ content: given = "", xattrs = {}, ...input }) => {
    const content = Buffer.from(given as string);
    const { type = input.path.endsWith("/") ? "directory" : "file" } = input;
    const header = formatHeader({
      linkPath: "",
      mode: type === "directory" ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
      device: { major: 0, minor: 0 },
      size: content.length,
      ...input,
      type,
      xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, "latin1")])),
    });
    return [header, content, padding(content.length)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

/** The entries of an archive, short contents as text. */
export async function entriesOf(tar: AsyncIterable<Uint8Array>) {
  const entries: (TarEntry & { readonly content: string })[] = [];
  for await (const { entry, content } of readTar(tar)) {
    if (entry.type === "unknown") throw new Error(`${entry.path} is of an unknown type`);
    const pieces: Buffer[] = [];
    for await (const { data } of content) pieces.push(Buffer.from(data));
    entries.push({ ...entry, content: Buffer.concat(pieces).toString("latin1", 0, 1000) });
  }
  return entries;
}
