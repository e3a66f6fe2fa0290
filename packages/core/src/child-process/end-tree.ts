import { execFile } from "node:child_process";
import type { EndOptions } from "../process/starter.ts";
import { type ProcessEntry, processTable } from "./process-table.ts";

/** A child of this process: a ChildProcess, or what runs on a terminal. */
export interface Killable {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * Ends a child and its descendants: `killSignal` first, SIGKILL after `forceKillAfterMs`.
 *
 * Descendants are found in the process table by their parents, and by their session when the child leads one. One
 * that had cut both ties before we looked is out of reach. Pids are checked against start times, so that a reused one
 * is left alone.
 */
export async function endTree(child: Killable, options: EndOptions, exited: Promise<unknown>): Promise<void> {
  const root = child.pid;
  if (root === undefined) return;
  if (process.platform === "win32") return endWindowsTree(root, exited);
  const members = new Map<number, ProcessEntry>();
  await collectMembers(root, members);
  if (options.killSignal !== "SIGKILL") {
    sendToAll(members, options.killSignal, child);
    const deadline = performance.now() + options.forceKillAfterMs;
    if (await allGone(root, members, exited, deadline)) return;
  }
  // Each round may find children that were made while the one before was looking.
  for (let found = -1; found !== members.size; ) {
    found = members.size;
    await collectMembers(root, members);
    sendToAll(members, "SIGKILL", child);
  }
  await exited;
}

async function collectMembers(root: number, members: Map<number, ProcessEntry>): Promise<void> {
  const table = await processTable(root);
  if (members.size === 0) {
    const self = table.get(root);
    if (!self) return;
    members.set(root, self);
  }
  for (const [pid, member] of members) {
    if (table.get(pid)?.startedAt !== member.startedAt) members.delete(pid);
  }
  const roots = new Set(members.keys());
  for (let grew = true; grew; ) {
    grew = false;
    for (const entry of table.values()) {
      if (!roots.has(entry.pid) && (roots.has(entry.parent) || entry.session === root)) {
        roots.add(entry.pid);
        members.set(entry.pid, entry);
        grew = true;
      }
    }
  }
}

function sendToAll(members: ReadonlyMap<number, ProcessEntry>, signal: NodeJS.Signals, child: Killable): void {
  for (const pid of members.keys()) {
    if (pid === child.pid) {
      child.kill(signal);
      continue;
    }
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended since, or it has become another user's: either way it is out of reach.
    }
  }
}

async function allGone(
  root: number,
  members: Map<number, ProcessEntry>,
  exited: Promise<unknown>,
  deadline: number,
): Promise<boolean> {
  await endOrTimeout(exited, deadline - performance.now());
  for (let delay = 5; ; delay = Math.min(delay * 2, 200)) {
    await collectMembers(root, members);
    if (members.size === 0) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(delay, left));
  }
}

/** A timer that is left behind would keep this process alive until it fires. */
async function endOrTimeout(exited: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
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
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
