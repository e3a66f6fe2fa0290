type Done<T> = (error: Error | null | undefined, result: T) => void;

/** The answer to one request of ssh2's. */
export function ask<T>(request: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    request((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** The answer to a request that may fail. ssh2 throws for extensions that the server lacks. */
export function attempt<T>(request: (done: Done<T>) => void): Promise<T | undefined> {
  return ask(request).catch(() => undefined);
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
