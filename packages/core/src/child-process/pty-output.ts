import { Readable } from "node:stream";
import { isAlive } from "./is-alive.ts";
import type { Pty } from "./pty-library.ts";

// Well below the 200 ms after which the library closes a terminal whose program has ended, read or not.
const checkEveryMs = 25;

/**
 * What a program writes to its terminal, at the reader's pace and to the last byte.
 *
 * The library's own events lose the end: a hang-up that arrives with data is taken for the end of it, what is held
 * back by pause() is dropped when the program ends, and nothing is read later than 200 ms after that. Pulling each
 * chunk from its stream avoids the first two. Against the third, a reader that is behind when the program ends is
 * given the rest at once: no more than a terminal's buffer in the kernel, some dozen KiB.
 */
export function ptyOutput(pty: Pty): Readable {
  return pty._socket ? pulledOutput(pty.pid, pty._socket) : pushedOutput(pty);
}

function pulledOutput(pid: number, socket: Readable): Readable {
  let isBehind = false;
  let isGone = false;
  let watch: NodeJS.Timeout | undefined;
  const output = new Readable({
    read(): void {
      isBehind = false;
      clearInterval(watch);
      pull();
    },
    destroy(error, callback): void {
      isGone = true;
      clearInterval(watch);
      callback(error);
      pull();
    },
  });

  function pull(): void {
    while (!isBehind || isGone) {
      const chunk: unknown = socket.read();
      if (chunk === null) return;
      isBehind = !output.destroyed && !output.push(chunk);
    }
    clearInterval(watch);
    watch = setInterval(() => {
      if (isAlive(pid)) return;
      isGone = true;
      clearInterval(watch);
      pull();
    }, checkEveryMs);
  }

  // Not at once: libuv 1.46 (Node 20) takes a hang-up for the end when reading is on again before its callback returns.
  socket.on("readable", () => setImmediate(pull));
  socket.on("close", () => clearInterval(watch));
  return output;
}

function pushedOutput(pty: Pty): Readable {
  const output = new Readable({ read: () => pty.resume() });
  pty.onData((data) => {
    if (!output.push(data)) pty.pause();
  });
  return output;
}
