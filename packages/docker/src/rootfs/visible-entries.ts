import type { LayerEntry, LayerIndex } from "./layer-index.ts";

/** What is seen when layers lie on top of one another, by path: OCI image-spec, layer.md, "Applying Changesets". */
export function visibleEntries(layers: readonly LayerIndex[]): Map<string, LayerEntry> {
  const visible = new Map<string, LayerEntry>();
  /** Files and whiteouts of the layers above: nothing below is seen there. */
  const covered = new Set<string>();
  /** Directories of the layers above, those that are only on the way too: they replace files, and keep directories. */
  const directories = new Set<string>();
  const opaque = new Set<string>();

  function isHidden({ path, entry }: LayerEntry): boolean {
    if (visible.has(path) || covered.has(path)) return true;
    if (entry.type !== "directory" && directories.has(path)) return true;
    return ancestorsOf(path).some((ancestor) => covered.has(ancestor) || opaque.has(ancestor));
  }

  for (const { entries, whiteouts, opaque: newlyOpaque } of [...layers].reverse()) {
    // A layer hides nothing of its own.
    for (const found of [...entries.values()].filter((each) => !isHidden(each))) visible.set(found.path, found);
    for (const { path, entry } of entries.values()) {
      (entry.type === "directory" ? directories : covered).add(path);
      for (const ancestor of ancestorsOf(path)) directories.add(ancestor);
    }
    for (const path of whiteouts) covered.add(path);
    for (const path of newlyOpaque) opaque.add(path);
  }
  return visible;
}

/** The directories that a path is in, up to the root, `""`. */
function ancestorsOf(path: string): string[] {
  const ancestors: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    ancestors.push(path.slice(0, end));
  }
  return path === "" ? ancestors : [...ancestors, ""];
}
