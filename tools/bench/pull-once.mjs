// Pulls an image in a process of its own and prints what it took: REFERENCE DIRECTORY CACHE.
// It is JavaScript, as users run it: taking types off at the start costs memory and time.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pullImage } from "@anyproc/registry-extract";

const [reference = "", directory = "", cacheDirectory = ""] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await pullImage(reference, directory, { cacheDirectory });
delay.disable();
// proc_pid_status(5). getrusage(2) would count what the starting process had, too: the maximum lives through execve(2).
const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
console.log(
  JSON.stringify({
    memoryMb: kilobytes / 1024,
    // The timer behind it is late by its own resolution.
    blockedMs: delay.max / 1e6 - 1,
  }),
);
