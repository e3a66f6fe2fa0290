import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AnyprocError } from "@anyproc/core";
import { extract, type Header, pack } from "tar-stream";
import { roomIn } from "./room.ts";
import { checkPath, type Losses, parentOf } from "./tree.ts";

/** What went through. */
export interface PassedTar {
  readonly entries: number;
  readonly bytes: number;
  /** Directories with a symlink in them: tar makes those last, and may forget to set the directory's time again. */
  readonly directoriesWithLinks: readonly Header[];
}

/**
 * Passes an archive on, entry by entry, as long as none of them leads out of the directory it is unpacked into: no
 * absolute path, no "..", no name below a symlink, whether that is in the archive or was there before.
 *
 * @param symlinks paths of the symlinks that are there before
 * @throws ANYPROC_UNSAFE_PATH, ANYPROC_ARCHIVE_INVALID
 */
export async function passChecked(
  source: Readable,
  sink: Writable,
  symlinks: Set<string>,
  name: string,
  losses: Losses,
): Promise<PassedTar> {
  const parser = extract();
  const packer = pack();
  const directories = new Map<string, Header>();
  const withLinks = new Set<string>();
  let entries = 0;
  let bytes = 0;
  // A sink that ends early is no failure of ours: who reads it knows why.
  const passed = pipeline(packer, sink).catch(() => {});
  const parsed = pipeline(source, parser).catch((error) => parser.destroy(error));
  try {
    for await (const entry of parser) {
      const header = checkEntry(entry.header, symlinks, name);
      const path = header.name.replace(/\/$/, "");
      if (hasAttributes(header)) losses.add(path, "xattr", "extended attributes and ACLs are not restored over SSH");
      if (header.type === "directory") directories.set(path, { ...header, name: path });
      if (header.type === "symlink") withLinks.add(parentOf(path));
      const out = packer.entry(header);
      entries += 1;
      bytes += header.size ?? 0;
      for await (const chunk of entry) {
        if (!out.write(chunk) && !packer.destroyed) await roomIn(out);
      }
      out.end(undefined);
    }
    await parsed;
    packer.finalize();
  } catch (error) {
    source.destroy();
    packer.destroy();
    throw invalidArchive(error, name);
  } finally {
    await passed;
  }
  const directoriesWithLinks = [...directories.values()].filter((header) => withLinks.has(header.name));
  return { entries, bytes, directoriesWithLinks };
}

function checkEntry(header: Header, symlinks: Set<string>, name: string): Header {
  const path = header.name.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  if (path === "" || path === ".") return { ...header, name: "./" };
  checkReachable(checkPath(path, name), symlinks, name);
  if (header.type === "link") {
    const target = (header.linkname ?? "").replace(/^(\.?\/)+/, "");
    checkReachable(checkPath(target, name), symlinks, name);
  }
  if (header.type === "symlink") symlinks.add(path);
  else symlinks.delete(path);
  return { ...header, name: header.type === "directory" ? `${path}/` : path };
}

// pax(5), "SCHILY.*" and "LIBARCHIVE.xattr": where tars keep them. Their bytes are none that pass through text unharmed.
function hasAttributes({ pax }: Header): boolean {
  return Object.keys(pax ?? {}).some((key) => /^(SCHILY\.(xattr|acl)|LIBARCHIVE\.xattr)/.test(key));
}

function checkReachable(path: string, symlinks: ReadonlySet<string>, name: string): void {
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    if (symlinks.has(parent)) throw throughSymlink(name, path, parent);
  }
}

function throughSymlink(name: string, path: string, link: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `${name}: ${JSON.stringify(path)} lies below the symlink ${JSON.stringify(link)}, which may lead anywhere: remove ` +
      "the link first, if you trust the archive",
  );
}

function invalidArchive(error: unknown, name: string): Error {
  if (error instanceof AnyprocError) return error;
  return new AnyprocError(
    "ANYPROC_ARCHIVE_INVALID",
    `${name}: the tar stream cannot be read (${error instanceof Error ? error.message : String(error)}): is it complete, and not compressed?`,
    { cause: error },
  );
}
