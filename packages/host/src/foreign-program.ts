import { readdirSync, readFileSync } from "node:fs";
import { findProgram, formatProblem, type LocalProgram, readHeader } from "@anyproc/core/child-process";

const interpreters = "/proc/sys/fs/binfmt_misc";

// A program is looked at once. Forgetting them all from time to time bounds what is kept.
const seen = new Set<string>();
const maxSeen = 1000;

/**
 * Why a program is one that this machine cannot execute, undefined for every other one.
 *
 * The C library hands what execve(2) refuses to sh(1): execvp(3), ENOEXEC. That is meant for scripts without a first
 * line that names their shell; of a binary sh(1) makes whatever its bytes happen to spell.
 */
export function foreignProgram({ file, cwd, env }: LocalProgram): string | undefined {
  const key = [file, env["PATH"], cwd].join("\0");
  if (seen.has(key)) return undefined;
  const path = findProgram({ file, cwd, env });
  const header = path === undefined ? undefined : readHeader(path);
  const problem = header?.includes(0) ? formatProblem(header) : undefined;
  if (header && problem !== undefined && !hasInterpreter(header)) return problem;
  if (seen.size >= maxSeen) seen.clear();
  seen.add(key);
  return undefined;
}

/** True when the system has been told of a program that executes such files: binfmt_misc, by their first bytes. */
function hasInterpreter(header: Buffer): boolean {
  try {
    const names = readdirSync(interpreters).filter((name) => name !== "register");
    return names.some((name) => takes(readFileSync(`${interpreters}/${name}`, "utf8"), header));
  } catch {
    return false;
  }
}

function takes(entry: string, header: Buffer): boolean {
  const field = (name: string): string => new RegExp(`^${name} (.*)$`, "m").exec(entry)?.[1] ?? "";
  const magic = Buffer.from(field("magic"), "hex");
  const mask = Buffer.from(field("mask"), "hex");
  const start = header.subarray(Number(field("offset")));
  const matches = magic.every((byte, index) => ((start[index] ?? 0) & (mask[index] ?? 0xff)) === byte);
  return entry.startsWith("enabled") && magic.length > 0 && matches;
}
