import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { debianArchive } from "../../test-e2e/setup/debian.ts";
import type { Comparison, Target } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

const launcher = resolve(import.meta.dirname, "../../packages/proot-linux-x64/bin/anyproc-proot");
const binds = ["/dev", "/proc", "/sys"];

type Enter = (rootfs: string) => readonly string[];

// Debian's proot and chroot(2) run on the very same tree as the engine, with the same binds where there are any.
const enter: Record<"anyproc" | "chroot" | "proot", Enter> = {
  anyproc: (rootfs) => [
    launcher,
    ...["--rootfs", rootfs, "--id", "0:0"],
    ...binds.flatMap((path) => ["--bind", path, path]),
    "--",
  ],
  chroot: (rootfs) => ["chroot", rootfs],
  proot: (rootfs) => ["proot", "-0", "-r", rootfs, ...binds.flatMap((path) => ["-b", path])],
};

async function run(argv: readonly string[]): Promise<string> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], cwd: "/" });
  const [[code], output] = await Promise.all([once(child, "close"), text(child.stdout)]);
  if (code !== 0) throw new Error(`${argv.join(" ")}: exited with ${code}`);
  return output;
}

/** The sides of one comparison in this root filesystem. */
function sidesOf(rootfs: string, make: (inside: (argv: readonly string[]) => Promise<string>) => Side) {
  return Object.fromEntries(
    Object.entries(enter).map(([name, prefix]) => [name, make((argv) => run([...prefix(rootfs), ...argv]))]),
  );
}

interface SystemCall {
  readonly name: string;
  readonly title: string;
  readonly count: number;
  readonly targets: readonly Target[];
}

const systemCalls: readonly SystemCall[] = [
  { name: "getppid", title: "getppid, which no path rule concerns", count: 20_000, targets: [] },
  {
    name: "stat",
    title: "stat",
    count: 2_000,
    targets: [
      { than: "chroot", atMost: 5 },
      { than: "proot", timesFaster: 10 },
    ],
  },
  { name: "open", title: "open and close", count: 2_000, targets: [] },
  { name: "access", title: "access to what is missing", count: 2_000, targets: [] },
  { name: "readlink", title: "readlink", count: 2_000, targets: [] },
  { name: "getcwd", title: "getcwd", count: 2_000, targets: [] },
  { name: "exec", title: "vfork, exec and wait", count: 50, targets: [{ than: "chroot", atMost: 1.5 }] },
];

const programs: readonly { readonly argv: readonly string[]; readonly targets: readonly Target[] }[] = [
  { argv: ["find", "/", "-xdev"], targets: [{ than: "chroot", atMost: 2.5 }] },
  { argv: ["ls", "-lR", "/usr/lib"], targets: [] },
  { argv: ["sh", "-c", "tar -C /usr -c share | cat >/dev/null"], targets: [] },
  { argv: ["bash", "-c", "for i in {1..200}; do /bin/true; done"], targets: [] },
];

/**
 * System calls and whole programs in the engine, against chroot(2) and Debian's proot, with the root filesystem in a
 * temporary directory below this one. Needs root, for chroot(2).
 */
export async function* benchEngine(rounds: number, directory: string): AsyncGenerator<Comparison> {
  const rootfs = mkdtempSync(join(directory, "anyproc-bench-"));
  try {
    chmodSync(rootfs, 0o755);
    execFileSync("tar", ["-xpf", debianArchive(), "--numeric-owner", "-C", rootfs]);
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
    for (const { argv, targets } of programs) {
      const times = await interleave(
        sidesOf(rootfs, (inside) => () => timeMs(() => inside(argv))),
        rounds,
      );
      yield { title: argv.join(" "), unit: "ms", times, ours: "anyproc", targets };
    }
  } finally {
    rmSync(rootfs, { recursive: true, force: true });
  }
}
