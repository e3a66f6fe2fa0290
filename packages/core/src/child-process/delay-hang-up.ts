import { isAlive } from "./is-alive.ts";
import type { PtySocket } from "./pty-library.ts";

const longestPauseMs = 25;

// More than it takes to read a terminal's buffer; a program that was left behind may write on and on.
const maxTurns = 64;

/**
 * Keeps a terminal open until its program has ended, and what it left behind has been read.
 *
 * The library closes it as soon as nobody has the other end open, and at the latest 200 ms after the end. Programs
 * close theirs a moment before they end (cat(1) does), and the SIGHUP of a closed terminal would overtake their exit
 * status; and when this process is kept from running those 200 ms are over before it has read anything.
 */
export function delayHangUp(pid: number, terminal: PtySocket): void {
  const destroy = terminal.destroy.bind(terminal);
  terminal.destroy = (error) => {
    const destroyWhenEnded = (pauseMs: number): void => {
      if (isAlive(pid)) setTimeout(destroyWhenEnded, pauseMs, Math.min(pauseMs * 2, longestPauseMs));
      else destroyWhenRead(maxTurns);
    };
    const destroyWhenRead = (turns: number): void => {
      const { bytesRead } = terminal;
      // Two turns of the event loop: one to read, one to take it out of the stream's buffer.
      setImmediate(setImmediate, () => {
        if (turns === 0 || terminal.bytesRead === bytesRead) destroy(error);
        else destroyWhenRead(turns - 1);
      });
    };
    destroyWhenEnded(1);
    return terminal;
  };
}
