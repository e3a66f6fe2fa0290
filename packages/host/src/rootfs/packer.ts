import { open, readdir } from "node:fs/promises";
import { AnyprocError } from "@anyproc/core";
import { endOfArchive, formatHeader, padding, printable, type TarEntry, toByteString } from "@anyproc/core/tar";
import { ahead } from "./ahead.ts";
import { openUp } from "./open-up.ts";
import { lookAt, type Place } from "./place.ts";
import type { ReportBuilder } from "./report.ts";

/** Bytes of a file that are read at once. */
const chunkSize = 256 * 1024;
const placesAhead = 16;

interface Level {
  readonly places: AsyncGenerator<Place, void, undefined>;
  close(): Promise<void>;
}

/** Packs a tree, directories before what is in them, names in the order of their bytes. */
export class Packer {
  readonly #root: string;
  readonly #report: ReportBuilder;
  /** The first names of files with several, by device and inode. */
  readonly #linked: Map<string, string> = new Map();

  constructor(directory: string, report: ReportBuilder) {
    this.#root = toByteString(directory);
    this.#report = report;
  }

  async *pack(): AsyncGenerator<Buffer, void, undefined> {
    const levels: Level[] = [{ places: this.#look([""]), close: async () => {} }];
    try {
      for (let level = levels.at(-1); level; level = levels.at(-1)) {
        const { done, value: place } = await level.places.next();
        if (done) {
          levels.pop();
          await level.close();
        } else {
          yield* this.#packPlace(place);
          if (place.entry?.type === "directory") levels.push(await this.#enter(place));
        }
      }
    } finally {
      for (const level of levels.reverse()) await level.close();
    }
    yield endOfArchive;
  }

  #look(names: readonly string[]): AsyncGenerator<Place, void, undefined> {
    return ahead(names, placesAhead, (name) => lookAt(this.#root, name));
  }

  async #enter({ name, path, stats }: Place): Promise<Level> {
    const close = await openUp(path, stats);
    const children = (await readdir(path, { encoding: "buffer" })).map((child) => child.toString("latin1")).sort();
    return { places: this.#look(children.map((child) => (name === "" ? child : `${name}/${child}`))), close };
  }

  async *#packPlace(place: Place): AsyncGenerator<Buffer, void, undefined> {
    const { name, entry, content } = place;
    if (entry === undefined) {
      this.#report.lose(name, "socket", "tar has no entry for sockets: it was left out");
      return;
    }
    this.#report.entries += 1;
    const earlier = this.#earlierName(place, entry);
    if (earlier !== undefined) {
      yield formatHeader({ ...entry, type: "hardlink", linkPath: earlier, size: 0 });
    } else if (content !== undefined) {
      if (content.length < entry.size) throw shrunk(entry);
      this.#report.bytes += content.length;
      yield Buffer.concat([formatHeader(entry), content, padding(content.length)]);
    } else {
      yield formatHeader(entry);
      if (entry.size > 0) yield* this.#packContent(place, entry);
    }
  }

  #earlierName({ name, stats }: Place, entry: TarEntry): string | undefined {
    if (entry.type === "directory" || stats.nlink < 2n) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const earlier = this.#linked.get(key);
    if (earlier === undefined) this.#linked.set(key, name);
    return earlier;
  }

  async *#packContent({ path, stats }: Place, entry: TarEntry): AsyncGenerator<Buffer, void, undefined> {
    const close = await openUp(path, stats);
    const file = await open(path, "r").finally(close);
    try {
      for (let left = entry.size; left > 0; ) {
        const buffer = Buffer.allocUnsafe(Math.min(left, chunkSize));
        const { bytesRead } = await file.read(buffer, 0, buffer.length);
        if (bytesRead === 0) throw shrunk(entry);
        left -= bytesRead;
        this.#report.bytes += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
    const fill = padding(entry.size);
    if (fill.length > 0) yield fill;
  }
}

function shrunk(entry: TarEntry): AnyprocError {
  return new AnyprocError(
    "ANYPROC_ROOTFS_INVALID",
    `${printable(entry.path)} became smaller while it was being packed: stop what writes to it, and export again`,
  );
}
