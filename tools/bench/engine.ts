import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDebian, sidesOf } from "./engine-sides.ts";
import type { Comparison, Target } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

interface SystemCall {
  readonly name: string;
  readonly title: string;
  readonly count: number;
  readonly targets: readonly Target[];
}

const tenTimesFaster: Target = { than: "proot", timesFaster: 10 };

function atMost(times: number): Target {
  return { than: "chroot", atMost: times };
}

const systemCalls: readonly SystemCall[] = [
  { name: "getppid", title: "getppid, which no path rule concerns", count: 20_000, targets: [] },
  { name: "stat", title: "stat", count: 2_000, targets: [atMost(2), tenTimesFaster] },
  { name: "stat-relative", title: "stat of a relative path", count: 2_000, targets: [tenTimesFaster] },
  { name: "stat-parent", title: "stat of a path that starts with ..", count: 2_000, targets: [tenTimesFaster] },
  { name: "open", title: "open and close", count: 2_000, targets: [atMost(1.8), tenTimesFaster] },
  { name: "open-relative", title: "open and close, a relative path", count: 2_000, targets: [tenTimesFaster] },
  { name: "access", title: "access", count: 2_000, targets: [tenTimesFaster] },
  { name: "access-missing", title: "access to what is missing", count: 2_000, targets: [tenTimesFaster] },
  { name: "readlink", title: "readlink", count: 2_000, targets: [tenTimesFaster] },
  { name: "getcwd", title: "getcwd", count: 2_000, targets: [atMost(2), tenTimesFaster] },
  { name: "exec", title: "vfork, exec and wait", count: 50, targets: [atMost(1.35)] },
  { name: "fork", title: "fork, exit and wait", count: 50, targets: [] },
];

interface Program {
  readonly argv: readonly string[];
  readonly targets: readonly Target[];
}

// In the Debian root filesystem.
const programs: readonly Program[] = [
  { argv: ["find", "/", "-xdev"], targets: [atMost(1.4), tenTimesFaster] },
  // Debian's proot does not find all of it, and says so.
  { argv: ["sh", "-c", "ls -lR /usr 2>/dev/null || true"], targets: [atMost(1.8), tenTimesFaster] },
  { argv: ["sh", "-c", "cp -a /usr/share /tmp/copy && rm -r /tmp/copy"], targets: [atMost(1.5)] },
  { argv: ["sh", "-c", "tar -C /usr -c share | cat >/dev/null"], targets: [] },
  { argv: ["bash", "-c", "for i in {1..200}; do /bin/true; done"], targets: [] },
];

/** What a small root filesystem lacks, in this machine's own: a compiler, and git in a tree of 10,000 files. */
function programsOfThisMachine(directory: string): readonly Program[] {
  const repository = join(directory, "repository");
  const source = join(directory, "hello.c");
  writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n');
  for (let i = 0; i < 100; i += 1) {
    mkdirSync(join(repository, `${i}`), { recursive: true });
    for (let j = 0; j < 100; j += 1) writeFileSync(join(repository, `${i}`, `${j}`), `${j}\n`);
  }
  const git = (...args: readonly string[]) => execFileSync("git", ["-C", repository, ...args], { stdio: "ignore" });
  git("init");
  git("add", "--all");
  git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--message", "10,000 files");
  return [
    { argv: ["gcc", "-O2", "-o", join(directory, "hello"), source], targets: [atMost(1.2)] },
    { argv: ["git", "-C", repository, "status"], targets: [atMost(1.5)] },
  ];
}

async function* compare(rootfs: string, list: readonly Program[], rounds: number): AsyncGenerator<Comparison> {
  for (const { argv, targets } of list) {
    const times = await interleave(
      sidesOf(rootfs, (inside) => () => timeMs(() => inside(argv))),
      rounds,
    );
    yield { title: argv.join(" "), unit: "ms", times, ours: "anyproc", targets };
  }
}

/**
 * System calls and whole programs in the engine, with and without patched call sites, against chroot(2) and Debian's
 * proot, with the root filesystem in a temporary directory below this one. Needs root, for chroot(2).
 */
export async function* benchEngine(rounds: number, directory: string): AsyncGenerator<Comparison> {
  const { rootfs, remove } = makeDebian(directory);
  const directoryOfThisMachine = mkdtempSync(join(directory, "anyproc-bench-"));
  try {
    const program = "/opt/system-calls";
    const source = join(import.meta.dirname, "system-calls.c");
    execFileSync("cc", ["-O2", "-static", "-o", join(rootfs, program), source]);
    for (const { name, title, count, targets } of systemCalls) {
      const side = (inside: (argv: readonly string[]) => Promise<string>): Side => {
        return async () => Number(await inside([program, name, String(count)])) / 1000;
      };
      const times = await interleave(sidesOf(rootfs, side), rounds);
      yield { title, unit: "us", times, ours: "anyproc", targets };
    }
    yield* compare(rootfs, programs, rounds);
    yield* compare("/", programsOfThisMachine(directoryOfThisMachine), rounds);
  } finally {
    rmSync(directoryOfThisMachine, { recursive: true, force: true });
    remove();
  }
}
