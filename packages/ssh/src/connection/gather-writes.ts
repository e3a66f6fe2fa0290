import type { Socket } from "node:net";

type Done = (error?: Error | null) => void;

/**
 * From now on, what is written in one turn of the event loop goes out by one system call. ssh2 writes each packet in
 * three pieces, and without Nagle's algorithm each of them would be a segment that wakes the server up.
 */
export function gatherWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  let isGathering = false;
  socket.write = (chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(chunk, encoding, done);
  };
}
