import { refusalText, statusOf } from "../connection/daemon-error.ts";
import { dockerError } from "../errors.ts";

/** What kept the daemon from unpacking an archive, in its own words: a full disk has a code of its own. */
export function unpackFailure(object: string, said: string, cause: unknown): Error {
  if (/no space left on device|disk quota exceeded/i.test(said)) {
    return dockerError(
      "ANYPROC_NO_SPACE",
      `${object}: the daemon's disk is full: make room, for instance with \`docker system prune\``,
      cause,
    );
  }
  return dockerError(
    "ANYPROC_DOCKER_REFUSED",
    `${object}: the daemon could not unpack the archive: ${said}: correct the archive`,
    cause,
  );
}

/** The same for a request's failure; what is no refusal to unpack stays what it is. */
export function asUnpackFailure(object: string, error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  const status = statusOf(cause);
  return status === 500 || status === 400 ? unpackFailure(object, refusalText(cause), error) : error;
}
