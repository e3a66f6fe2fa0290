import { lchown, lutimes } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import type { TarEntry, Timestamp } from "@anyproc/core/tar";
import type { ReportBuilder } from "./report.ts";

/** Gives a place its owner, where that is possible. Do it before the mode: chown(2) clears set-user-ID. */
export async function setOwner(path: Buffer, entry: TarEntry, report: ReportBuilder): Promise<void> {
  const isOwn = entry.uid === process.geteuid?.() && entry.gid === process.getegid?.();
  if (isOwn) return;
  const code =
    process.geteuid?.() === 0 ? await lchown(path, entry.uid, entry.gid).then(noError, systemErrorCode) : "EPERM";
  if (code !== undefined) {
    report.lose(entry.path, "owner", `it belongs to who unpacked it (${code}): unpack as root to keep owners`);
  }
}

/** Gives a place its time of modification; a symlink's is its own. */
export async function setTime(path: Buffer, entry: TarEntry, report: ReportBuilder): Promise<void> {
  const seconds = entry.mtime.seconds + entry.mtime.nanoseconds / 1e9;
  // As text: node:fs replaces negative numbers by the present.
  await lutimes(path, String(seconds), String(seconds));
  if (!isExact(seconds, entry.mtime)) {
    report.lose(entry.path, "time", "node:fs sets times as floating-point seconds, to within a microsecond");
  }
}

// What remains of the nanoseconds in a double is what the system is given.
function isExact(seconds: number, { nanoseconds }: Timestamp): boolean {
  const fraction = seconds - Math.floor(seconds);
  return Math.trunc(fraction * 1e9) === nanoseconds;
}

function noError(): undefined {}
