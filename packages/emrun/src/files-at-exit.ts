import { rmSync } from "node:fs";

/** Files to be removed when this process ends. */
const files = new Set<string>();

// Those that ask a program to end. The others end it because something is wrong, or cannot be listened to.
const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Removes a file when this process exits, or is ended by a signal that nobody else listens to. */
export function removeAtExit(path: string): void {
  if (files.size === 0) watch();
  files.add(path);
}

/** To be called when the file is gone. */
export function forget(path: string): void {
  if (files.delete(path) && files.size === 0) stopWatching();
}

function watch(): void {
  process.on("exit", removeAll);
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function stopWatching(): void {
  process.off("exit", removeAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/** Who listens takes the place of a signal's own effect: others that find themselves alone see to that, and so do we. */
function onSignal(signal: NodeJS.Signals): void {
  stopWatching();
  if (process.listenerCount(signal) > 0) {
    // It is theirs to decide whether this process ends.
    setImmediate(() => files.size > 0 && watch());
    return;
  }
  removeAll();
  process.kill(process.pid, signal);
}

function removeAll(): void {
  for (const path of files) {
    try {
      rmSync(path, { force: true });
    } catch {
      // Nobody is left to be told.
    }
  }
}
