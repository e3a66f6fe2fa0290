/** One side of a comparison: does the work once and returns what it took, in the comparison's unit. */
export type Side = () => Promise<number>;

/** Times of one comparison, a minimum and a median for every side. */
export type Times = Readonly<Record<string, { readonly least: number; readonly median: number }>>;

/**
 * Runs the sides by turns, and in another order each round, so that what disturbs the machine disturbs all of them.
 * A first round warms up and does not count.
 */
export async function interleave(sides: Readonly<Record<string, Side>>, rounds: number): Promise<Times> {
  const names = Object.keys(sides);
  const samples = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const sample = await (sides[name] as Side)();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summarize(samples.get(name) ?? [])]));
}

/** The minimum and the median of some measurements. */
export function summarize(samples: readonly number[]): Times[string] {
  const sorted = samples.toSorted((a, b) => a - b);
  return { least: sorted[0] ?? Number.NaN, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}

/** Milliseconds that something takes. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
