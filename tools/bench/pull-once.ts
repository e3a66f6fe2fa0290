// Pulls an image in a process of its own and prints what it took: REFERENCE DIRECTORY CACHE.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pullImage } from "@anyproc/registry-extract";

const [reference = "", directory = "", cacheDirectory = ""] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await pullImage(reference, directory, { cacheDirectory });
delay.disable();
console.log(
  JSON.stringify({
    // getrusage(2) counts kilobytes.
    memoryMb: process.resourceUsage().maxRSS / 1024,
    // The timer behind it is late by its own resolution.
    blockedMs: delay.max / 1e6 - 1,
  }),
);
