import { Transform } from "node:stream";
import { AnyprocError, type RootfsLoss, type RootfsReport } from "@anyproc/core";
import { invalidArchive, printable, type TarEntry, TarReader, type UnknownEntry } from "@anyproc/core/tar";

const mostListed = 1000;

/** Counts what goes by and collects what is lost on the way. */
export class Report {
  readonly #losses: RootfsLoss[] = [];
  #lossCount = 0;
  entries = 0;
  bytes = 0;

  lose(path: string, what: RootfsLoss["what"], reason: string): void {
    this.#lossCount += 1;
    if (this.#losses.length < mostListed) this.#losses.push({ path, what, reason });
  }

  get result(): RootfsReport {
    return { entries: this.entries, bytes: this.bytes, losses: this.#losses, lossCount: this.#lossCount };
  }
}

/**
 * Passes an archive on as it is, and reads along: what is no archive, is cut short or has an entry that would lead
 * outside ends it.
 *
 * @param name what the archive is for, for messages
 * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH, as the stream's error
 */
export function checkedTar(
  name: string,
  report: Report,
  onEntry: (entry: TarEntry | UnknownEntry) => void = () => {},
): Transform {
  const reader = new TarReader((entry) => {
    report.entries += 1;
    report.bytes += entry.size;
    checkPath(entry.path);
    if (entry.type === "hardlink") checkPath(entry.linkPath);
    onEntry(entry);
    return undefined;
  });

  function checkPath(path: string): void {
    if (!path.split("/").includes("..")) return;
    throw new AnyprocError(
      "ANYPROC_UNSAFE_PATH",
      `${name}: ${JSON.stringify(printable(path))} climbs with "..": nothing of the archive is kept; do not trust it`,
    );
  }

  function read(action: () => void, done: (error?: Error) => void): void {
    try {
      action();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read(() => {
        reader.write(chunk);
        this.push(chunk);
      }, done);
    },
    flush(done) {
      read(() => {
        reader.end();
        if (!reader.isAtEnd) throw invalidArchive(`${name}: it ends before its end mark`);
      }, done);
    },
  });
}
