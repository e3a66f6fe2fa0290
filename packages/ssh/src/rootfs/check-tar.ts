import type { Readable } from "node:stream";
import { AnyprocError } from "@anyproc/core";
import { extract, type Header, pack } from "tar-stream";
import { checkPath, parentOf } from "./tree.ts";

/** What went through. */
export interface TarCount {
  entries: number;
  bytes: number;
}

/**
 * Passes an archive on, entry by entry, as long as none of them leads out of the directory it is unpacked into: no
 * absolute path, no "..", no name below a symlink, whether that is in the archive or was there before.
 *
 * @param symlinks paths of the symlinks that are there before
 * @throws ANYPROC_UNSAFE_PATH, ANYPROC_ARCHIVE_INVALID, through the returned stream
 */
export function checkTar(
  source: Readable,
  symlinks: Set<string>,
  name: string,
): { readonly tar: Readable; readonly count: TarCount } {
  const parser = extract();
  const packer = pack();
  const count: TarCount = { entries: 0, bytes: 0 };

  function check(header: Header): Header {
    const path = header.name.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
    if (path === "" || path === ".") return { ...header, name: "./" };
    checkPath(path, name);
    for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
      if (symlinks.has(parent)) throw throughSymlink(name, path, parent);
    }
    if (header.type === "link") {
      const target = (header.linkname ?? "").replace(/^(\.?\/)+/, "");
      checkPath(target, name);
      for (let parent = target; parent !== ""; parent = parentOf(parent)) {
        if (symlinks.has(parent) && parent !== target) throw throughSymlink(name, target, parent);
      }
    }
    if (header.type === "symlink") symlinks.add(path);
    else symlinks.delete(path);
    return { ...header, name: header.type === "directory" ? `${path}/` : path };
  }

  parser.on("entry", (header, content, next) => {
    let checked: Header;
    try {
      checked = check(header);
    } catch (error) {
      parser.destroy(error as Error);
      return;
    }
    count.entries += 1;
    count.bytes += header.size ?? 0;
    const entry = packer.entry(checked, (error) => next(error));
    content.pipe(entry);
  });
  parser.on("finish", () => packer.finalize());
  parser.on("error", (error: Error) => packer.destroy(invalidArchive(error, name)));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  return { tar: packer as unknown as Readable, count };
}

function throughSymlink(name: string, path: string, link: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `${name}: ${JSON.stringify(path)} lies below the symlink ${JSON.stringify(link)}, which may lead anywhere: remove ` +
      "the link first, if you trust the archive",
  );
}

function invalidArchive(error: Error, name: string): Error {
  if (error instanceof AnyprocError) return error;
  return new AnyprocError(
    "ANYPROC_ARCHIVE_INVALID",
    `${name}: the tar stream cannot be read (${error.message}): is it complete, and not compressed?`,
    { cause: error },
  );
}
