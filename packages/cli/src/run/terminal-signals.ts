import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { SignalName } from "@anyproc/core";

/**
 * Tells whether a signal that has just arrived was sent by the terminal, which sends to the whole foreground process
 * group (termios(3), ISIG): the program has it already, and a second one would count as a second key press.
 *
 * Node does not say who sent a signal, so a SIGINT or SIGQUIT that arrives in the foreground counts as the terminal's.
 * It sends SIGHUP when it is taken away, so only then is a SIGHUP its own.
 */
export function terminalSignals(): (signal: SignalName) => boolean {
  const startedInForeground = isInForeground();
  return (signal) => {
    if (signal === "SIGINT" || signal === "SIGQUIT") return process.platform === "win32" || isInForeground();
    return signal === "SIGHUP" && startedInForeground && !isInForeground();
  };
}

function isInForeground(): boolean {
  try {
    return process.platform === "linux" ? isInForegroundByProc() : isInForegroundByPs();
  } catch {
    return false;
  }
}

function isInForegroundByProc(): boolean {
  // proc_pid_stat(5): fields 5 and 8, pgrp and tpgid, counted from the end of the command's name.
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[2] === fields[5];
}

function isInForegroundByPs(): boolean {
  if (process.platform === "win32") return false;
  // ps(1), keyword stat: "+" marks a process in the foreground process group.
  return execFileSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" }).includes("+");
}
