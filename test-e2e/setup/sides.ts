import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { as, type Mode } from "./modes.ts";
import type { Product } from "./product.ts";
import { type Outcome, run } from "./run.ts";

/** A command and what it reads. */
export interface Trial {
  readonly argv: readonly string[];
  readonly input?: string;
}

/** Nothing of the machine's environment may make the two sides differ. */
export const cleanly = [
  "/usr/bin/env",
  "-i",
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LC_ALL=C.UTF-8",
  "TZ=UTC",
];

// The engine binds these by default; in a mount namespace of its own, so that they vanish with the command.
const enterChroot = `
  mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" || exit 125
  exec chroot "$0" "$@"`;

/** Runs a command under chroot(2), as root. */
export async function runInChroot(tree: string, { argv, input }: Trial): Promise<Outcome> {
  cleanUp(tree);
  const outcome = await run(["unshare", "--mount", "sh", "-c", enterChroot, tree, ...cleanly, ...argv], input);
  expect(outcome.ended, outcome.stderr).not.toBe(125);
  return outcome;
}

/** Runs a command in the guest: with `anyproc run` where that can say what the mode is, else through the library. */
export function runInGuest(product: Product, mode: Mode, tree: string, { argv, input }: Trial): Promise<Outcome> {
  cleanUp(tree);
  const byDefault = Object.keys(mode.options).length === 0;
  const start = byDefault
    ? [...product.anyproc, "run", "--rootfs", tree, "--"]
    : [...product.runGuest, JSON.stringify({ rootfs: tree, ...mode.options })];
  return run([...as(mode.person, product.home), ...start, ...cleanly, ...argv], input);
}

// Scripts that write do so here.
function cleanUp(tree: string): void {
  rmSync(join(tree, "work"), { recursive: true, force: true });
}

/** Expects that a command said the same and ended the same way in the guest as under chroot(2), byte for byte. */
export function expectSame(inGuest: Outcome, inChroot: Outcome): void {
  expect(differingLines(inGuest, inChroot)).toEqual(differingLines(inChroot, inGuest));
  expect(inGuest.ended).toBe(asShellReports(inChroot.ended));
}

/**
 * The lines of the first outcome from where it leaves the second one, none when they agree. A whole listing of the
 * system in a failure's message would hide what is wrong.
 */
function differingLines(outcome: Outcome, other: Outcome): string[] {
  return (["stdout", "stderr"] as const).flatMap((name) => {
    const theirs = other[name].split("\n");
    const lines = outcome[name].split("\n");
    const start = lines.findIndex((line, index) => line !== theirs[index]);
    if (start === -1) return lines.length === theirs.length ? [] : [`${name} ends at line ${lines.length}`];
    return [`${name}, line ${start + 1}:`, ...lines.slice(start, start + 10)];
  });
}

/** `anyproc` ends with a code where chroot(1) dies of the signal: 128 and the signal's number. */
function asShellReports(ended: Outcome["ended"]): Outcome["ended"] {
  return ended === "SIGTERM" ? 128 + 15 : ended;
}
