import type { EventEmitter } from "node:events";

/** Resolves when a stream that was full takes more, or is closed. */
export function roomIn(stream: Pick<EventEmitter, "on" | "off">): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
