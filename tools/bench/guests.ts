import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { enter, makeDebian, sidesOf } from "./engine-sides.ts";
import type { Comparison } from "./report.ts";
import { interleave, type Side, summarize, type Times, timeMs } from "./rounds.ts";

const guestCount = 500;
const cat = ["/bin/cat"];

// What a program has been through before its memory is measured.
const programs = {
  "that has just started": cat,
  "that has used paths and started others": [
    "perl",
    "-e",
    '$| = 1; -e for glob "/etc/*"; system "true"; print while <>',
  ],
};

/** A program that is up: it has returned a line, and waits for the next. */
async function start([file = "", ...args]: readonly string[]): Promise<ChildProcess> {
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: "/usr/sbin:/usr/bin:/bin" },
    cwd: "/",
  });
  child.stdin?.write("up\n");
  await once(child.stdout as NodeJS.EventEmitter, "data");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  await once(child, "close");
}

/** Milliseconds a start takes, of the first and of the last tenth of guests that all stay. */
async function startMany(rootfs: string): Promise<Times> {
  const guests: ChildProcess[] = [];
  const samples: number[] = [];
  try {
    while (guests.length < guestCount) {
      samples.push(await timeMs(async () => guests.push(await start([...enter.anyproc(rootfs), ...cat]))));
    }
  } finally {
    await Promise.all(guests.map(end));
  }
  const tenth = guestCount / 10;
  return { first: summarize(samples.slice(0, tenth)), last: summarize(samples.slice(-tenth)) };
}

/** Kilobytes that a process alone has, and that no file holds (proc_pid_smaps(5)). */
function anonymousMemory(pid: number | undefined): number {
  return Number(/^Anonymous: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

/** What the engine adds to a program's memory. */
async function addedMemory(rootfs: string, argv: readonly string[]): Promise<number> {
  const native = await start([...enter.chroot(rootfs), ...argv]);
  const launcher = await start([...enter.anyproc(rootfs), ...argv]);
  const guest = Number(readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, "utf8"));
  const added = anonymousMemory(guest) - anonymousMemory(native.pid);
  await Promise.all([end(native), end(launcher)]);
  return added;
}

const exactly = (value: number): Times[string] => summarize([value]);

/** Many guests, what one takes, and apt-get: on a Debian root filesystem in a temporary directory below this one. */
export async function* benchGuests(rounds: number, directory: string): AsyncGenerator<Comparison> {
  const { rootfs, remove } = makeDebian(directory);
  try {
    yield {
      title: `start of one of ${guestCount} guests that run at once, the last tenth against the first`,
      unit: "ms",
      ours: "last",
      times: await startMany(rootfs),
      targets: [{ than: "first", atMost: 1.25 }],
    };
    for (const [what, argv] of Object.entries(programs)) {
      yield {
        title: `memory that the engine adds to a program ${what}`,
        unit: "KB",
        ours: "anyproc",
        times: { anyproc: exactly(await addedMemory(rootfs, argv)), limit: exactly(48) },
        targets: [{ than: "limit", atMost: 1 }],
      };
    }
    yield {
      title: "apt-get install of a small package, and its removal",
      unit: "ms",
      ours: "anyproc",
      times: await benchApt(rootfs, rounds),
      targets: [{ than: "chroot", atMost: 1.5 }],
    };
  } finally {
    remove();
  }
}

/** The package is fetched before, so that no network is measured. */
async function benchApt(rootfs: string, rounds: number): Promise<Times> {
  copyFileSync("/etc/resolv.conf", join(rootfs, "etc/resolv.conf"));
  execFileSync("chroot", [rootfs, "sh", "-c", "apt-get -qq update && apt-get -qq install --download-only jq"]);
  const install =
    "export DEBIAN_FRONTEND=noninteractive; apt-get -qq install jq </dev/null && apt-get -qq purge jq libjq1";
  const side = (inside: (argv: readonly string[]) => Promise<string>): Side => {
    return () => timeMs(() => inside(["sh", "-c", `(${install}) </dev/null >/dev/null 2>&1`]));
  };
  return interleave(sidesOf(rootfs, side), rounds);
}
