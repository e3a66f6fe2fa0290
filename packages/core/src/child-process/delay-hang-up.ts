import type { Readable } from "node:stream";
import { isAlive } from "./is-alive.ts";

const longestPauseMs = 25;

/**
 * Keeps a terminal open until its program has ended.
 *
 * The library closes it as soon as nobody has the other end open. Programs close theirs a moment before they end
 * (cat(1) does), and the SIGHUP of a closed terminal would overtake their exit status.
 */
export function delayHangUp(pid: number, terminal: Readable): void {
  const destroy = terminal.destroy.bind(terminal);
  terminal.destroy = (error) => {
    const destroyWhenEnded = (pauseMs: number): void => {
      if (isAlive(pid)) setTimeout(destroyWhenEnded, pauseMs, Math.min(pauseMs * 2, longestPauseMs));
      else destroy(error);
    };
    destroyWhenEnded(1);
    return terminal;
  };
}
