/** How much of a file is there already: written by the thread that downloads it, awaited by the one that reads it. */
export type Growth = SharedArrayBuffer;

/** A file of which nothing is there yet. */
export function createGrowth(): Growth {
  return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
}

/** Says how many bytes are there now. */
export function setGrown(growth: Growth, bytes: number): void {
  const view = new BigInt64Array(growth);
  Atomics.store(view, 0, BigInt(bytes));
  Atomics.notify(view, 0);
}

/** How many bytes are there now. */
function grownBytes(growth: Growth): number {
  return Number(Atomics.load(new BigInt64Array(growth), 0));
}

/** Waits, with the event loop running, until there is more than `bytes`. */
export async function waitForGrowth(growth: Growth, bytes: number): Promise<number> {
  const view = new BigInt64Array(growth);
  for (;;) {
    const grown = grownBytes(growth);
    if (grown > bytes) return grown;
    await Atomics.waitAsync(view, 0, BigInt(grown)).value;
  }
}

/** Waits, with the thread stopped, until there is more than `bytes`. */
export function waitForGrowthSync(growth: Growth, bytes: number): number {
  const view = new BigInt64Array(growth);
  for (;;) {
    const grown = grownBytes(growth);
    if (grown > bytes) return grown;
    Atomics.wait(view, 0, BigInt(grown));
  }
}
