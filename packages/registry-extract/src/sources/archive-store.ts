import { open } from "node:fs/promises";
import { posix } from "node:path";
import { blockSize, type TarEntry, TarReader } from "@anyproc/core/tar";
import { imageError } from "../errors.ts";
import type { BlobStore } from "./blob-store.ts";
import type { FileRegion } from "./source.ts";

type Member = FileRegion | { readonly linkPath: string };

const mostLinks = 8;
// Of the names that matter, blobs/sha512/ with a digest is the longest.
const mostNameLength = 255;
const mostMembers = 50_000;

/**
 * The files in an uncompressed tar archive, found without reading their content.
 *
 * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_IMAGE_LIMIT
 */
export async function archiveStore(name: string, path: string, release: () => Promise<void>): Promise<BlobStore> {
  const members = new Map<string, Member>();
  let position = 0;
  const reader = new TarReader((entry) => {
    if (entry.type === "unknown" || Math.max(entry.path.length, entry.linkPath.length) > mostNameLength)
      return undefined;
    members.set(memberName(entry.path), memberOf(entry, path, position));
    if (members.size > mostMembers) {
      throw imageError(
        "ANYPROC_IMAGE_LIMIT",
        `${name}: holds more than ${mostMembers} files: save fewer images in one archive`,
      );
    }
    return undefined;
  });
  const file = await open(path);
  try {
    const block = Buffer.alloc(blockSize);
    while (!reader.isAtEnd) {
      const { bytesRead } = await file.read(block, 0, blockSize, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      reader.write(block.subarray(0, bytesRead));
      position += reader.skip();
    }
    reader.end();
  } finally {
    await file.close();
  }

  function find(wanted: string): FileRegion | undefined {
    let member = members.get(memberName(wanted));
    let place = memberName(wanted);
    // Old archives of docker have a link where two images share a layer.
    for (let links = 0; member && "linkPath" in member; links += 1) {
      if (links === mostLinks) return undefined;
      place = memberName(posix.join(posix.dirname(place), member.linkPath));
      member = members.get(place);
    }
    return member;
  }

  return { name, find: async (wanted) => find(wanted), close: release };
}

function memberOf(entry: TarEntry, path: string, offset: number): Member {
  if (entry.type === "symlink") return { linkPath: entry.linkPath };
  // A hard link names its target from the root of the archive.
  if (entry.type === "hardlink") return { linkPath: posix.relative(posix.dirname(entry.path), entry.linkPath) };
  return { path, offset, size: entry.size };
}

function memberName(path: string): string {
  return posix.normalize(path).replace(/^\/+/, "");
}
