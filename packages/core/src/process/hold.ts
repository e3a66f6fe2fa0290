import type { Readable } from "node:stream";

function keep(): void {}

/**
 * Keeps what has not been read of a child's stream. node:child_process lets every stream flow when the child exits,
 * read or not; one that is listened to by "readable" stays as it is.
 */
export function hold(stream: Readable | null): void {
  if (stream && !stream.readableEnded && stream.listenerCount("data") === 0) stream.on("readable", keep);
}

/** Takes hold() back, before the stream is read. */
export function release(stream: Readable): void {
  stream.off("readable", keep);
}
