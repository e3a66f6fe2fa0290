import { endOfArchive, formatHeader, padding, type TarEntry } from "@anyproc/core/tar";

/** An entry as tests write it: everything has a default. */
export interface EntryInput extends Partial<Omit<TarEntry, "xattrs">> {
  readonly path: string;
  readonly content?: string | Buffer;
  readonly xattrs?: Readonly<Record<string, string>>;
}

export function entryOf({ content = "", xattrs = {}, ...input }: EntryInput): TarEntry {
  const { type = input.path.endsWith("/") ? "directory" : "file" } = input;
  return {
    linkPath: "",
    mode: type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    device: { major: 0, minor: 0 },
    size: type === "file" ? Buffer.byteLength(content) : 0,
    ...input,
    type,
    xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value)])),
  };
}

/** A tar archive. */
export function archive(inputs: readonly EntryInput[], { end = true, format = formatHeader } = {}): Buffer {
  const parts = inputs.flatMap((input) => {
    const content = Buffer.from(input.content ?? "");
    return [format(entryOf(input)), content, padding(content.length)];
  });
  return Buffer.concat([...parts, ...(end ? [endOfArchive] : [])]);
}

/** An archive whose first header says something else in one field. */
export function withField(archived: Buffer, offset: number, bytes: string | Buffer): Buffer {
  const changed = Buffer.from(archived);
  const field = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  field.copy(changed, offset);
  changed.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of changed.subarray(0, 512)) sum += byte;
  changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return changed;
}

/** One entry, of a type that only a letter stands for. */
export function entryOfType(typeFlag: string, content: string | Buffer): Buffer {
  return withField(archive([{ path: "entry", content }], { end: false }), 156, typeFlag);
}
