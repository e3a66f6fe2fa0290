import { posix } from "node:path";
import { Readable } from "node:stream";
import type { FileStats, FileSystem } from "@anyproc/core";
import type { FileEntryWithStats, SFTPWrapper, Stats } from "ssh2";
import { openForWriting, remoteChunks, writable } from "./remote-file.ts";
import { fileError } from "./sftp-error.ts";
import { ask, type Done, forEachParallel } from "./sftp-request.ts";
import type { SftpSource } from "./sftp-source.ts";

// How many entries of a directory are removed at once.
const removalsInFlight = 32;

/** The remote machine's files, over SFTP. */
export function remoteFiles(source: SftpSource): FileSystem {
  /** One request about one path, with errors as node:fs has them. */
  async function request<T>(
    syscall: string,
    path: string,
    send: (sftp: SFTPWrapper, done: Done<T>) => void,
  ): Promise<T> {
    if (!path.startsWith("/")) throw fileError("EINVAL", syscall, path);
    return source.use(syscall, path, (sftp) => ask(sftp, (done) => send(sftp, done)));
  }

  async function mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): Promise<void> {
    try {
      await request<void>("mkdir", path, (sftp, done) =>
        sftp.mkdir(path, { mode: options.mode ?? 0o777 }, done as never),
      );
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!options.recursive) throw error;
      if (code === "ENOENT" && path !== "/") {
        await mkdir(posix.dirname(path), options);
        await mkdir(path, options);
      } else if (code !== "EEXIST" || !(await stat(path)).isDirectory()) {
        throw error;
      }
    }
  }

  async function stat(path: string): Promise<FileStats> {
    return toFileStats(await request<Stats>("stat", path, (sftp, done) => sftp.stat(path, done as never)));
  }

  async function lstat(path: string): Promise<FileStats> {
    return toFileStats(await request<Stats>("lstat", path, (sftp, done) => sftp.lstat(path, done as never)));
  }

  function list(path: string): Promise<FileEntryWithStats[]> {
    return request("scandir", path, (sftp, done) => sftp.readdir(path, done as never));
  }

  function unlink(path: string): Promise<void> {
    return request("unlink", path, (sftp, done) => sftp.unlink(path, done as never));
  }

  async function removeDirectory(path: string): Promise<void> {
    await forEachParallel(await list(path), removalsInFlight, async ({ filename, attrs }) => {
      const entry = posix.join(path, filename);
      await (attrs.isDirectory() ? removeDirectory(entry) : unlink(entry));
    });
    await request<void>("rmdir", path, (sftp, done) => sftp.rmdir(path, done as never));
  }

  async function rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    try {
      const isDirectory = (await lstat(path)).isDirectory();
      if (isDirectory && !options.recursive) throw fileError("EISDIR", "rm", path);
      await (isDirectory ? removeDirectory(path) : unlink(path));
    } catch (error) {
      if (!options.force || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  async function readFile(path: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of remoteChunks(source, path)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async function writeFile(path: string, data: string | Uint8Array, options?: { mode?: number }): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.length);
    const file = await openForWriting(source, path, { mode: options?.mode });
    try {
      await file.write(bytes);
      await file.finish();
    } finally {
      await file.close();
    }
  }

  return {
    readFile,
    writeFile,
    readdir: async (path) => (await list(path)).map(({ filename }) => filename),
    stat,
    lstat,
    mkdir,
    rm,
    rename: (from, to) => request("rename", from, (sftp, done) => sftp.ext_openssh_rename(from, to, done as never)),
    symlink: (target, path) => request("symlink", path, (sftp, done) => sftp.symlink(target, path, done as never)),
    readlink: (path) => request("readlink", path, (sftp, done) => sftp.readlink(path, done as never)),
    chmod: (path, mode) => request("chmod", path, (sftp, done) => sftp.chmod(path, mode, done as never)),
    createReadStream: (path) =>
      Readable.from(remoteChunks(source, path), { objectMode: false, highWaterMark: 64 * 1024 }),
    createWriteStream: (path, options) => writable(() => openForWriting(source, path, { mode: options?.mode })),
  };
}

function toFileStats(stats: Stats): FileStats {
  return {
    mode: stats.mode,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    mtimeMs: stats.mtime * 1000,
    isFile: () => stats.isFile(),
    isDirectory: () => stats.isDirectory(),
    isSymbolicLink: () => stats.isSymbolicLink(),
  };
}
