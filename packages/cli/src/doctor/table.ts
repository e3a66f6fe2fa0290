import type { Check, Finding } from "./finding.ts";

/** How the table is drawn. */
export interface TableOptions {
  readonly color: boolean;
  /** Show every check, not only what is wrong. */
  readonly checks: boolean;
}

const signs = { works: "✔", fails: "✘", missing: "-" } as const;
// ECMA-48, Select Graphic Rendition: green, red, dim.
const colors = { works: 32, fails: 31, missing: 2 } as const;

/** The findings as lines for people. */
export function findingsTable(findings: readonly Finding[], options: TableOptions): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const paint = (text: string, color: number): string => (options.color ? `\x1b[${color}m${text}\x1b[0m` : text);
  const indent = " ".repeat(width + 13);
  const lines = findings.flatMap(({ name, status, detail, remedy, checks = [] }) => [
    `${paint(`${signs[status]} ${name.padEnd(width)}  ${status.padEnd(7)}`, colors[status])}  ${detail}`,
    ...(remedy === undefined ? [] : [`${indent}${paint("remedy:", 1)} ${remedy}`]),
    ...(options.checks ? checks.map((check) => `${indent}${describe(check)}`) : []),
  ]);
  return `${lines.join("\n")}\n`;
}

function describe({ ok, name, detail, remedy }: Check): string {
  return `${ok ? signs.works : signs.fails} ${name}: ${detail}${remedy === undefined ? "" : `: ${remedy}`}`;
}
