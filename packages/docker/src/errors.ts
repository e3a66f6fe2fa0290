import { AnyprocError } from "@anyproc/core";

/** The codes that this package adds to core's; the README's table says what to do about each. */
export type DockerErrorCode =
  | "ANYPROC_DOCKER_UNREACHABLE"
  | "ANYPROC_DOCKER_PERMISSION_DENIED"
  | "ANYPROC_DOCKER_REFUSED"
  | "ANYPROC_CONNECTION_LOST"
  | "ANYPROC_CONTAINER_NOT_FOUND"
  | "ANYPROC_CONTAINER_EXISTS"
  | "ANYPROC_CONTAINER_NOT_RUNNING"
  | "ANYPROC_IMAGE_NOT_FOUND"
  | "ANYPROC_IMAGE_INVALID"
  | "ANYPROC_NO_SPACE"
  | "ANYPROC_CLOSED"
  | "ANYPROC_CREDENTIALS_UNREADABLE"
  | "ANYPROC_PULL_FAILED";

/** An error with one of this package's codes. */
export function dockerError(code: DockerErrorCode, message: string, cause?: unknown): AnyprocError {
  return new AnyprocError(code, message, cause === undefined ? undefined : { cause });
}

export function invalidOption(message: string, cause?: unknown): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", message, cause === undefined ? undefined : { cause });
}

/** What an unknown error says, for the end of a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
