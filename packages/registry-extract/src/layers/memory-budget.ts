import { imageError } from "../errors.ts";

/**
 * Memory for what is remembered of an image. It is counted: when it is used up is a question of the image, not of what
 * the garbage collector has come to.
 */
export class MemoryBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @throws ANYPROC_IMAGE_LIMIT when there is not so much left */
  take(bytes: number): void {
    if (bytes > this.#left) throw tooMuchToRemember();
    this.#left -= bytes;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** The error for an image of which more is to be remembered than fits into memory. */
export function tooMuchToRemember(): Error {
  return imageError(
    "ANYPROC_IMAGE_LIMIT",
    "the image has more directories, or files with special attributes, than fit into memory: raise maxMemoryBytes, or unpack parts of it, with include",
  );
}
