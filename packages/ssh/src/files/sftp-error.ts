import type { SFTPWrapper, Stats } from "ssh2";
import { attempt } from "./sftp-request.ts";

// draft-ietf-secsh-filexfer-02, 7: all that SFTP says about a failure.
const noSuchFile = 2;
const permissionDenied = 3;
const failure = 4;
const badMessage = 5;
const unsupported = 8;

const descriptions: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EIO: "the server gives no reason",
  EISDIR: "illegal operation on a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTEMPTY: "directory not empty",
  ENOTSUP: "operation not supported on the server",
  EROFS: "read-only file system",
};

// statvfs(3): ST_RDONLY.
const readOnlyFlag = 1;

/** An error as node:fs throws it. */
export function fileError(code: string, syscall: string, path: string, cause?: unknown): NodeJS.ErrnoException {
  const message = `${code}: ${descriptions[code] ?? "unknown error"}, ${syscall} '${path}'`;
  return Object.assign(new Error(message, { cause }), { code, syscall, path });
}

/**
 * Turns a status of the server's into the error that node:fs would throw. SFTP has one status for a full disk, an
 * existing file and much else, so that the likely reason is looked for.
 */
export async function explain(sftp: SFTPWrapper, error: unknown, syscall: string, path: string): Promise<Error> {
  if (!(error instanceof Error) || !("code" in error)) return error instanceof Error ? error : new Error(String(error));
  switch (error.code as unknown) {
    case noSuchFile:
      return fileError("ENOENT", syscall, path, error);
    case permissionDenied:
      return fileError("EACCES", syscall, path, error);
    case badMessage:
      return fileError("EINVAL", syscall, path, error);
    case unsupported:
      return fileError("ENOTSUP", syscall, path, error);
    case failure:
      return fileError(await likelyReason(sftp, syscall, path), syscall, path, error);
    default:
      return error;
  }
}

async function likelyReason(sftp: SFTPWrapper, syscall: string, path: string): Promise<string> {
  const stats = await attempt<Stats>(sftp, (done) => sftp.lstat(path, done));
  if (stats) {
    if (syscall === "mkdir" || syscall === "symlink") return "EEXIST";
    if (syscall === "rmdir" || (syscall === "rename" && stats.isDirectory())) return "ENOTEMPTY";
    if (stats.isDirectory() && syscall !== "write") return "EISDIR";
  }
  const space = await freeSpace(sftp, path);
  if (space?.isReadOnly) return "EROFS";
  return space?.isFull ? "ENOSPC" : "EIO";
}

async function freeSpace(
  sftp: SFTPWrapper,
  path: string,
): Promise<{ isFull: boolean; isReadOnly: boolean } | undefined> {
  const parent = path.replace(/\/[^/]*$/, "") || "/";
  const facts = await attempt<Record<string, number>>(sftp, (done) => sftp.ext_openssh_statvfs(parent, done));
  if (!facts) return undefined;
  return {
    isFull: facts["f_bavail"] === 0 || (facts["f_favail"] === 0 && facts["f_files"] !== 0),
    isReadOnly: ((facts["f_flag"] ?? 0) & readOnlyFlag) !== 0,
  };
}
