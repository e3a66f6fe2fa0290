import { padding } from "./block.ts";
import type { ByteString, TarEntry } from "./entry.ts";
import { formatBlock, mostNameBytes, nameOf } from "./format-block.ts";

/**
 * As formatHeader(), for tars that do not know pax headers (busybox): long names in GNU's long-name entries, large and
 * negative numbers in base-256. Extended attributes and parts of a second have no place in it.
 */
export function formatGnuHeader(entry: TarEntry): Buffer {
  const name = nameOf(entry);
  const blocks: Buffer[] = [];
  if (entry.linkPath.length > mostNameBytes) blocks.push(...longName("long link", entry.linkPath));
  if (name.length > mostNameBytes) blocks.push(...longName("long name", name));
  const block = formatBlock(entry, name, "octal or base-256");
  return blocks.length === 0 ? block : Buffer.concat([...blocks, block]);
}

function longName(type: "long name" | "long link", name: ByteString): Buffer[] {
  const content = Buffer.from(`${name}\0`, "latin1");
  const facts = {
    type,
    linkPath: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime: { seconds: 0, nanoseconds: 0 },
    device: { major: 0, minor: 0 },
  };
  return [formatBlock(facts, "././@LongLink", "octal"), content, padding(content.length)];
}
