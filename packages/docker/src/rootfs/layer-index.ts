import { AnyprocError } from "@anyproc/core";
import { printable, type ScannedEntry, scanTar } from "@anyproc/core/tar";
import type { FileRegion } from "../files/file-region.ts";

/** An entry of a layer. */
export interface LayerEntry extends ScannedEntry {
  readonly region: FileRegion;
  /** Number of its layer, from the lowest. */
  readonly layer: number;
  /** Names from the root, without "." and slashes at the ends. */
  readonly path: string;
  /** The same of a hard link's target. */
  readonly target: string;
}

/** What a layer has, and what it hides of those below. */
export interface LayerIndex {
  readonly entries: ReadonlyMap<string, LayerEntry>;
  readonly whiteouts: ReadonlySet<string>;
  /** Directories of which nothing below is seen. */
  readonly opaque: ReadonlySet<string>;
}

// OCI image-spec, layer.md, "Whiteouts".
const whiteoutPrefix = ".wh.";
const opaqueMarker = ".wh..wh..opq";
// What aufs, the first of docker's storage drivers, kept for itself.
const aufsPrefix = ".wh..wh.";

/** Reads the headers of a layer. @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH */
export async function indexLayer(region: FileRegion, layer: number): Promise<LayerIndex> {
  const entries = new Map<string, LayerEntry>();
  const whiteouts = new Set<string>();
  const opaque = new Set<string>();
  for await (const scanned of scanTar(region.reader())) {
    const { entry } = scanned;
    const names = namesOf(entry.path);
    const path = names.join("/");
    const last = names.at(-1) ?? "";
    const parents = names.slice(0, -1);
    if (last === opaqueMarker) opaque.add(parents.join("/"));
    else if (names.some((name) => name.startsWith(aufsPrefix))) continue;
    else if (last.startsWith(whiteoutPrefix)) whiteouts.add([...parents, last.slice(whiteoutPrefix.length)].join("/"));
    else {
      const target = entry.type === "hardlink" ? namesOf(entry.linkPath).join("/") : "";
      entries.set(path, { ...scanned, region, layer, path, target });
    }
  }
  return { entries, whiteouts, opaque };
}

function namesOf(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (!names.includes("..")) return names;
  throw new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `a layer's entry ${JSON.stringify(printable(path))} climbs with "..": do not trust this image`,
  );
}
