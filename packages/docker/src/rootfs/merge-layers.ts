import { AnyprocError } from "@anyproc/core";
import {
  endOfArchive,
  formatHeader,
  invalidArchive,
  padding,
  printable,
  readTar,
  withoutHoles,
} from "@anyproc/core/tar";
import type { FileRegion } from "../files/file-region.ts";
import { indexLayer, type LayerEntry, type LayerIndex } from "./layer-index.ts";
import { visibleEntries } from "./visible-entries.ts";

/**
 * The layers of an image as one archive of what is seen when all of them lie on top of one another, in the order of
 * names. Entries come as they stand in their layers, byte for byte, so that nothing is lost; of a file with several
 * names the first is the file, and the others are links to it.
 *
 * @param layers tar archives, lowest first
 * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH
 */
export async function* mergeLayers(layers: readonly FileRegion[]): AsyncGenerator<Buffer, void, undefined> {
  const indexes: LayerIndex[] = [];
  for (const layer of layers) indexes.push(await indexLayer(layer, indexes.length));
  const visible = visibleEntries(indexes);
  /** The name under which a file was written. */
  const names = new Map<LayerEntry, string>();
  for (const found of [...visible.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { entry } = found;
    const origin = entry.type === "hardlink" ? originOf(found, indexes) : found;
    const name = names.get(origin);
    if (name !== undefined && entry.type !== "unknown") {
      yield formatHeader({ ...entry, type: "hardlink", linkPath: name, size: 0, xattrs: new Map() });
      continue;
    }
    names.set(origin, entry.path);
    if (origin === found) yield* found.region.chunks(found.start, found.end);
    else yield* renamed(origin, entry.path);
  }
  yield endOfArchive;
}

// More than any chain of links that a builder makes.
const mostLinks = 40;

/** The entry with the content: in the link's own layer, or below. */
function originOf(link: LayerEntry, indexes: readonly LayerIndex[]): LayerEntry {
  let current: LayerEntry = link;
  for (let links = 0; current.entry.type === "hardlink" && links < mostLinks; links += 1) {
    const { target } = current;
    const found = indexes
      .slice(0, current.layer + 1)
      .findLast(({ entries }) => entries.has(target))
      ?.entries.get(target);
    if (!found) break;
    current = found;
  }
  if (current.entry.type !== "hardlink") return current;
  throw invalidArchive(`${printable(link.path)} is a hard link to ${printable(link.target)}, which is no file`);
}

/** An entry's own bytes under another name. */
async function* renamed(found: LayerEntry, path: string): AsyncGenerator<Buffer, void, undefined> {
  async function* alone(): AsyncGenerator<Buffer> {
    yield* found.region.chunks(found.start, found.end);
    yield endOfArchive;
  }
  for await (const { entry, content } of readTar(alone())) {
    if (entry.type === "unknown")
      throw new AnyprocError("ANYPROC_ARCHIVE_INVALID", `${printable(path)} links to no file`);
    yield formatHeader({ ...entry, path });
    yield* withoutHoles(content, entry.size);
    yield padding(entry.size);
  }
}
