import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Label of every container that goes when its program ends: which process made it. */
export const clientLabel = "anyproc.client";
/** Label of every container of one environment. */
export const environmentLabel = "anyproc.environment";

/** This process, told apart from every other one of this machine: its process ids begin anew with each boot. */
export function clientName(): string {
  return `${machineName()} ${process.pid} ${startTime(process.pid) ?? ""}`;
}

/** True when the process that has this name has ended for certain; false too for processes of other machines. */
export function isGone(client: string): boolean {
  const parts = /^(\S+) (\d+) (\d*)$/.exec(client);
  if (!parts || parts[1] !== machineName()) return false;
  const pid = Number(parts[2]);
  if (process.platform === "linux") return startTime(pid) !== parts[3];
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** The machine, its boot and its namespace of process ids: within these, a process id and its start are unique. */
function machineName(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}-${readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "")}`;
  } catch {
    return hostname().replaceAll(/\s/g, "_") || "host";
  }
}

/** proc_pid_stat(5): the start is the 22nd field; the command in parentheses may hold anything. A zombie has ended. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
