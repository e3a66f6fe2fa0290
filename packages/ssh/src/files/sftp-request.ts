import type { SFTPWrapper } from "ssh2";

export type Done<T> = (error: Error | null | undefined, result: T) => void;

const ended = new WeakSet<SFTPWrapper>();

/** From now on, requests to this session are refused: ssh2 would take them and never answer. */
export function refuseRequests(sftp: SFTPWrapper): void {
  ended.add(sftp);
}

export function hasEnded(sftp: SFTPWrapper): boolean {
  return ended.has(sftp);
}

/** The answer to one request. */
export function ask<T>(sftp: SFTPWrapper, request: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    if (ended.has(sftp)) reject(new Error("the SFTP session has ended"));
    else request((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** The answer to a request that may fail. ssh2 throws for extensions that the server lacks. */
export function attempt<T>(sftp: SFTPWrapper, request: (done: Done<T>) => void): Promise<T | undefined> {
  return ask(sftp, request).catch(() => undefined);
}

/** Does something for each item, so many at a time: the requests in flight hide the way to the server and back. */
export async function forEachParallel<T>(
  items: Iterable<T>,
  limit: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  async function work(): Promise<void> {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await action(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, work));
}
