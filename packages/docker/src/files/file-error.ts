import { isAnyprocError } from "@anyproc/core";
import { refusalText, statusOf } from "../connection/daemon-error.ts";

const descriptions: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "illegal operation on a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "file name too long",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

// What the daemon and the tools of a container say, in the words of strerror(3) and docker's own.
const phrases: readonly (readonly [phrase: RegExp, code: string])[] = [
  [/could not find the file|no such file or directory/i, "ENOENT"],
  [/not a directory/i, "ENOTDIR"],
  [/directory not empty|file exists/i, "ENOTEMPTY"],
  [/cannot overwrite directory|is a directory/i, "EISDIR"],
  [/read-only/i, "EROFS"],
  [/no space left|quota exceeded/i, "ENOSPC"],
  [/too many (links|levels of symbolic links)/i, "ELOOP"],
  [/file name too long/i, "ENAMETOOLONG"],
  [/permission denied/i, "EACCES"],
  [/not permitted/i, "EPERM"],
];

/** An error as node:fs throws it. */
export function fileError(code: string, syscall: string, path: string, cause?: unknown): NodeJS.ErrnoException {
  const message = `${code}: ${descriptions[code] ?? "unknown error"}, ${syscall} '${path}'`;
  return Object.assign(new Error(message, { cause }), { code, syscall, path });
}

/** The code of node:fs that a sentence about a failure stands for. */
export function codeOf(sentence: string): string | undefined {
  return phrases.find(([phrase]) => phrase.test(sentence))?.[1];
}

/** A refusal of the daemon's as node:fs would put it; what is no refusal of a file stays what it is. */
export function toFileError(error: unknown, syscall: string, path: string): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!isAnyprocError(error) || statusOf(cause) === undefined) return error;
  const code = codeOf(refusalText(cause));
  return code === undefined ? error : fileError(code, syscall, path, error);
}
