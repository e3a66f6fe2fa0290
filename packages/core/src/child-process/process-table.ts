import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";

/** One row of the system's process table. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Id of the session's leader; 0 where the table does not say. */
  readonly session: number;
  /** Opaque; tells a process from a later one with the same pid. */
  readonly startedAt: string;
}

/** Every living process, or an empty table where it cannot be read. Zombies have ended and are left out. */
export async function processTable(root: number): Promise<Map<number, ProcessEntry>> {
  const entries = process.platform === "linux" || process.platform === "android" ? await readProc() : await runPs();
  const table = new Map(entries.map((entry) => [entry.pid, entry]));
  // Without a readable table at least the child itself is known.
  if (table.size === 0) table.set(root, { pid: root, parent: process.pid, session: 0, startedAt: "" });
  return table;
}

async function readProc(): Promise<ProcessEntry[]> {
  const names = await readdir("/proc").catch(() => []);
  const entries = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readStat));
  return entries.filter((entry) => entry !== undefined);
}

async function readStat(pid: string): Promise<ProcessEntry | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // proc_pid_stat(5): the command stands in parentheses and may hold anything, so fields count from the last one.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, , session] = fields ?? [];
  const startedAt = fields?.[19];
  if (state === undefined || parent === undefined || session === undefined || startedAt === undefined || state === "Z")
    return undefined;
  return { pid: Number(pid), parent: Number(parent), session: Number(session), startedAt };
}

function runPs(): Promise<ProcessEntry[]> {
  return new Promise((resolve) => {
    execFile("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart="], (error, stdout) => {
      if (error) return resolve([]);
      const rows = stdout.split("\n").map((row) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(row));
      resolve(
        rows.flatMap((row) =>
          row && !row[3]?.startsWith("Z")
            ? [{ pid: Number(row[1]), parent: Number(row[2]), session: 0, startedAt: row[4] ?? "" }]
            : [],
        ),
      );
    });
  });
}
