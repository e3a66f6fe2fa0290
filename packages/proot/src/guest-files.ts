import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { posix } from "node:path";
import { Readable, Writable } from "node:stream";
import type { FileSystem } from "@anyproc/core";
import type { ResolvedBind } from "./binds.ts";
import { type HostPlace, resolveGuestPath, systemError } from "./guest-path.ts";

// open(2): a handle on a directory that needs no permission to read it. Node has no name for it.
const O_PATH = 0o10000000;

/** A name in a directory that is held open, so that nothing on the way to it can be exchanged meanwhile. */
interface HeldPlace extends HostPlace {
  /** A path by way of the held directory. */
  readonly path: string;
}

/**
 * The guest's files, seen from the host. Paths are the guest's; no link leads out of the rootfs and its binds, even
 * when a program in the guest exchanges directories for links while we look.
 */
export function guestFiles(rootfs: string, binds: readonly ResolvedBind[]): FileSystem {
  async function at<T>(path: string, follow: boolean, action: (place: HeldPlace) => Promise<T>): Promise<T> {
    if (!path.startsWith("/")) throw systemError("EINVAL", "guest paths are absolute", path);
    const place = await resolveGuestPath(rootfs, binds, path, { follow });
    const parent = place.guest === "/" ? place.host : posix.dirname(place.host);
    const directory = await fs.open(parent, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const held = `/proc/self/fd/${directory.fd}`;
      if ((await fs.readlink(held)) !== parent) throw systemError("EAGAIN", "the directory moved meanwhile", path);
      return await action({ ...place, path: place.guest === "/" ? held : `${held}/${posix.basename(place.host)}` });
    } finally {
      await directory.close();
    }
  }

  function checkWritable(place: HeldPlace): void {
    const covering = binds
      .filter((bind) => place.guest === bind.guest || place.guest.startsWith(`${bind.guest}/`))
      .sort((a, b) => b.guest.length - a.guest.length)[0];
    if (covering?.readOnly) throw systemError("EROFS", "read-only bind", place.guest);
  }

  function change<T>(path: string, follow: boolean, action: (place: HeldPlace) => Promise<T>): Promise<T> {
    return at(path, follow, (place) => {
      checkWritable(place);
      return action(place);
    });
  }

  const write = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const read = constants.O_RDONLY | constants.O_NOFOLLOW;

  return {
    readFile: (path) => at(path, true, (place) => fs.readFile(place.path, { flag: read })),
    writeFile: (path, data, options) =>
      change(path, true, async (place) => {
        const file = await fs.open(place.path, write, options?.mode ?? 0o666);
        await file.writeFile(data).finally(() => file.close());
      }),
    readdir: (path) => at(path, true, (place) => fs.readdir(`${place.path}/`)),
    stat: (path) => at(path, true, (place) => fs.stat(place.path)),
    lstat: (path) => at(path, false, (place) => fs.lstat(place.path)),
    async mkdir(path, options) {
      const mode = options?.mode ?? 0o777;
      if (!options?.recursive) return change(path, false, (place) => fs.mkdir(place.path, { mode }));
      const names = path.split("/").filter((name) => name !== "");
      for (let depth = 1; depth <= names.length; depth += 1) {
        await change(`/${names.slice(0, depth).join("/")}`, true, async (place) => {
          if (place.isMissing) await fs.mkdir(place.path, { mode });
        });
      }
    },
    rm: (path, options) => change(path, false, (place) => fs.rm(place.path, options)),
    rename: (from, to) =>
      change(from, false, (source) => change(to, false, (target) => fs.rename(source.path, target.path))),
    symlink: (target, path) => change(path, false, (place) => fs.symlink(target, place.path)),
    readlink: (path) => at(path, false, (place) => fs.readlink(place.path)),
    chmod: (path, mode) => change(path, true, (place) => fs.chmod(place.path, mode)),
    createReadStream: (path) => readableFile(() => at(path, true, (place) => fs.open(place.path, read))),
    createWriteStream: (path, options) =>
      writableFile(() => change(path, true, (place) => fs.open(place.path, write, options?.mode ?? 0o666))),
  };
}

function readableFile(open: () => Promise<fs.FileHandle>): Readable {
  let file: fs.FileHandle | undefined;
  return new Readable({
    construct(callback) {
      open().then((opened) => {
        file = opened;
        callback();
      }, callback);
    },
    read(size) {
      file?.read(Buffer.allocUnsafe(size), 0, size).then(
        ({ bytesRead, buffer }) => this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead)),
        (error: Error) => this.destroy(error),
      );
    },
    destroy: (error, callback) => closeFile(file, error, callback),
  });
}

function writableFile(open: () => Promise<fs.FileHandle>): Writable {
  let file: fs.FileHandle | undefined;
  return new Writable({
    construct(callback) {
      open().then((opened) => {
        file = opened;
        callback();
      }, callback);
    },
    write(chunk: Buffer, _encoding, callback) {
      file?.writeFile(chunk).then(() => callback(), callback);
    },
    destroy: (error, callback) => closeFile(file, error, callback),
  });
}

function closeFile(
  file: fs.FileHandle | undefined,
  error: Error | null,
  callback: (error?: Error | null) => void,
): void {
  const closed = file ? file.close() : Promise.resolve();
  closed.then(
    () => callback(error),
    (closeError: Error) => callback(error ?? closeError),
  );
}
