import { AnyprocError } from "@anyproc/core";

export function invalidArchive(what: string): AnyprocError {
  return new AnyprocError("ANYPROC_ARCHIVE_INVALID", `tar archive: ${what}: create it or fetch it again`);
}
