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

/** Neighbours in a layer, which are read together. */
interface Run {
  readonly region: FileRegion;
  readonly start: number;
  end: number;
}

/**
 * The layers of an image as one archive of what is seen when all of them lie on top of one another, in the order of a
 * walk by names. Entries come as they stand in their layers, byte for byte, so that nothing is lost; of a file with several
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
  let run: Run | undefined;
  for (const found of walk(visible.values())) {
    const { entry, region, start, end } = found;
    const origin = entry.type === "hardlink" ? originOf(found, indexes) : found;
    const name = names.get(origin);
    if (name === undefined) names.set(origin, entry.path);
    const isAsItStands = name === undefined && origin === found;
    if (isAsItStands && run?.region === region && run.end === start) {
      run.end = end;
      continue;
    }
    if (run) yield* run.region.chunks(run.start, run.end);
    run = isAsItStands ? { region, start, end } : undefined;
    if (isAsItStands) continue;
    if (name === undefined) yield* renamed(origin, entry.path);
    else if (entry.type !== "unknown")
      yield formatHeader({ ...entry, type: "hardlink", linkPath: name, size: 0, xattrs: new Map() });
  }
  if (run) yield* run.region.chunks(run.start, run.end);
  yield endOfArchive;
}

/** In the order in which builders write layers: what is in a directory directly after it. */
function walk(entries: Iterable<LayerEntry>): LayerEntry[] {
  const keyed = Array.from(entries, (entry) => ({ entry, key: entry.path.replaceAll("/", "\0") }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry);
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
