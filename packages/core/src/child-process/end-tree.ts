import { execFile } from "node:child_process";
import type { EndOptions } from "../process/starter.ts";
import { type Killable, ProcessTree } from "./process-tree.ts";

export type { Killable } from "./process-tree.ts";

// A guard: nothing holds up a death by SIGKILL but a call that cannot be interrupted.
const longestDeathMs = 10_000;

/**
 * Ends a child and its descendants: `killSignal` first, SIGKILL after `forceKillAfterMs`.
 *
 * They are stopped while they are sent it, and then continued. A child that is started in the middle of it would be
 * missed, and a tree that somebody had stopped could not answer.
 */
export async function endTree(child: Killable, options: EndOptions, exited: Promise<unknown>): Promise<void> {
  const root = child.pid;
  if (root === undefined) return;
  if (process.platform === "win32") return endWindowsTree(root, exited);
  const tree = new ProcessTree(child, root);
  await tree.stop();
  if (options.killSignal !== "SIGKILL") {
    tree.signal(options.killSignal);
    tree.signal("SIGCONT");
    if (await endsWithin(tree, exited, options.forceKillAfterMs)) return;
    await tree.stop();
  }
  tree.signal("SIGKILL");
  await exited;
  await endsWithin(tree, exited, longestDeathMs);
}

async function endsWithin(tree: ProcessTree, exited: Promise<unknown>, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  await endOrTimeout(exited, ms);
  for (let delay = 5; ; delay = Math.min(delay * 2, 200)) {
    await tree.look();
    if (tree.isGone) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(delay, left));
  }
}

/** A timer that is left behind would keep this process alive until it fires. */
async function endOrTimeout(exited: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([exited, timeout]);
  clearTimeout(timer);
}

async function endWindowsTree(root: number, exited: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    execFile("taskkill", ["/pid", String(root), "/T", "/F"], () => resolve());
  });
  await exited;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
