import { Transform } from "node:stream";
import { AnyprocError } from "@anyproc/core";
import type { ReadEntry } from "@anyproc/core/tar";
import { invalidArchive, printable, TarReader } from "@anyproc/core/tar";
import type { Report } from "./report.ts";

/** What an archive is looked at for. */
export interface TarCheck {
  /** What the archive is for, for messages. */
  readonly name: string;
  readonly report: Report;
  readonly onEntry?: (entry: ReadEntry["entry"]) => void;
  /**
   * Paths of the symlinks that are there already, where the archive is unpacked below the root: none of them, and none
   * of its own, may be on an entry's way. Undefined where a link cannot lead outside.
   */
  readonly symlinks?: Set<string>;
}

/**
 * Passes an archive on as it is, and reads along: what is no archive, is cut short or has an entry that would lead
 * outside ends it.
 *
 * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH, as the stream's error
 */
export function checkedTar({ name, report, onEntry, symlinks }: TarCheck): Transform {
  const reader = new TarReader((entry) => {
    report.entries += 1;
    report.bytes += entry.size;
    const path = checkPath(name, entry.path, symlinks);
    if (entry.type === "hardlink") checkPath(name, entry.linkPath, symlinks);
    if (entry.type === "symlink") symlinks?.add(path);
    else symlinks?.delete(path);
    onEntry?.(entry);
    return undefined;
  });

  function check(action: () => void, done: (error?: Error) => void): void {
    try {
      action();
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      check(() => {
        reader.write(chunk);
        this.push(chunk);
      }, done);
    },
    flush(done) {
      check(() => {
        reader.end();
        if (!reader.isAtEnd) throw invalidArchive(`${name}: it ends before its end mark`);
      }, done);
    },
  });
}

/** The path without "." and slashes at its ends. */
function checkPath(name: string, path: string, symlinks: ReadonlySet<string> | undefined): string {
  const names = path.split("/").filter((each) => each !== "" && each !== ".");
  if (names.includes("..")) throw unsafe(name, path, 'climbs with ".."');
  if (symlinks) {
    for (let length = 1; length < names.length; length += 1) {
      const parent = names.slice(0, length).join("/");
      if (symlinks.has(parent)) throw unsafe(name, path, "lies below a symlink, which may lead anywhere");
    }
  }
  return names.join("/");
}

function unsafe(name: string, path: string, what: string): AnyprocError {
  return new AnyprocError(
    "ANYPROC_UNSAFE_PATH",
    `${name}: ${JSON.stringify(printable(path))} ${what}: do not trust this archive`,
  );
}
