import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/**
 * A name for something unfinished, that says whose it is: host, process id, and a number for each. It tells others only
 * whether waiting makes sense; nothing becomes wrong when they are mistaken.
 */
export function ownerName(): string {
  return `${host()}-${process.pid}-${randomBytes(6).toString("hex")}`;
}

/** True for a name that this process made. */
export function isOwnName(owner: string): boolean {
  return owner.startsWith(`${host()}-${process.pid}-`);
}

/** True when the process that made this name has ended for certain. */
export function isAbandoned(owner: string): boolean {
  const parts = /^(.+)-(\d+)-[0-9a-f]{12}$/.exec(owner);
  return parts !== null && parts[1] === host() && !isRunning(Number(parts[2]));
}

function host(): string {
  return hostname().replaceAll(/[^A-Za-z0-9.-]/g, "_") || "host";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // proc_pid_stat(5): the state stands after the name in parentheses; a zombie answers to signal 0.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}
