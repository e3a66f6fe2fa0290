import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";

/** One row of the system's process table. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Id of the session's leader; 0 where the table does not say. */
  readonly session: number;
  /** Opaque; tells a process from a later one with the same pid. */
  readonly startedAt: string;
  /** True while it makes no progress whatever happens: stopped, or in a wait that no signal ends. */
  readonly isStill: boolean;
}

// ps(1), "PROCESS STATE CODES": uninterruptible sleep (U on BSD systems), stopped by job control, by a tracer.
const stillStates = "DUTt";

// Some milliseconds: longer, nothing else in this process should have to wait.
const rowsAtOnce = 128;

/** Every living process, or an empty table where it cannot be read. Zombies have ended and are left out. */
export async function processTable(root: number): Promise<Map<number, ProcessEntry>> {
  const entries = process.platform === "linux" || process.platform === "android" ? await readProc() : await runPs();
  const table = new Map(entries.map((entry) => [entry.pid, entry]));
  // Without a readable table at least the child itself is known.
  if (table.size === 0) {
    table.set(root, { pid: root, parent: process.pid, session: 0, startedAt: "", isStill: true });
  }
  return table;
}

async function readProc(): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const entries: ProcessEntry[] = [];
  for (const [index, pid] of pids.entries()) {
    // These files are made as they are read, from memory: waiting for a thread to do so takes many times longer.
    const entry = readStat(pid);
    if (entry) entries.push(entry);
    if (index % rowsAtOnce === rowsAtOnce - 1) await new Promise(setImmediate);
  }
  return entries;
}

function readStat(pid: string): ProcessEntry | undefined {
  const stat = statText(pid);
  // proc_pid_stat(5): the command stands in parentheses and may hold anything, so fields count from the last one.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, , session] = fields ?? [];
  const startedAt = fields?.[19];
  if (state === undefined || state === "Z" || startedAt === undefined) return undefined;
  return {
    pid: Number(pid),
    parent: Number(parent),
    session: Number(session),
    startedAt,
    isStill: stillStates.includes(state),
  };
}

function statText(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
}

function runPs(): Promise<ProcessEntry[]> {
  return new Promise((resolve) => {
    execFile("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart="], (error, stdout) => {
      if (error) return resolve([]);
      resolve(
        stdout
          .split("\n")
          .map(readRow)
          .filter((entry) => entry !== undefined),
      );
    });
  });
}

function readRow(row: string): ProcessEntry | undefined {
  const [, pid, parent, state = "", startedAt = ""] = /^\s*(\d+)\s+(\d+)\s+(\S)\S*\s+(.*)$/.exec(row) ?? [];
  if (pid === undefined || state === "Z") return undefined;
  return { pid: Number(pid), parent: Number(parent), session: 0, startedAt, isStill: stillStates.includes(state) };
}
