import type { Times } from "./rounds.ts";

/** What we want to be true of a comparison: `ours` takes at most `atMost` times, or less than 1/`timesFaster` of, `than`. */
export interface Target {
  readonly than: string;
  readonly atMost?: number;
  readonly timesFaster?: number;
}

/** One row of the report. Times of `ours` are compared with each of the others. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  readonly times: Times;
  readonly ours: string;
  readonly targets: readonly Target[];
}

/** A comparison with its ratios, as it stands in the JSON document. */
export interface Row extends Comparison {
  readonly results: readonly { readonly target: string; readonly measured: number; readonly met: boolean }[];
}

/** Compares by minima: noise only ever adds. */
export function judge(comparison: Comparison): Row {
  const ours = comparison.times[comparison.ours]?.least ?? Number.NaN;
  const results = comparison.targets.map(({ than, atMost, timesFaster }) => {
    const theirs = comparison.times[than]?.least ?? Number.NaN;
    if (timesFaster !== undefined) {
      const measured = theirs / ours;
      return { target: `${timesFaster} x faster than ${than}`, measured, met: measured >= timesFaster };
    }
    const measured = ours / theirs;
    return {
      target: `at most ${atMost?.toFixed(2)} x ${than}`,
      measured,
      met: measured <= (atMost ?? Number.POSITIVE_INFINITY),
    };
  });
  return { ...comparison, results };
}

/** A row for people to read. */
export function format({ title, unit, times, results }: Row): string {
  const sides = Object.entries(times).map(
    ([name, { least, median }]) => `  ${name.padEnd(16)} ${number(least)} ${unit}   median ${number(median)}`,
  );
  const verdicts = results.map(
    ({ target, measured, met }) => `  ${met ? "met   " : "MISSED"} ${target}: ${measured.toFixed(2)}`,
  );
  return [title, ...sides, ...verdicts].join("\n");
}

function number(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0).padStart(8);
}
