import { execFileSync } from "node:child_process";
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
  const { rootfs, remove } = makeDebian(directory);
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
    for (const { argv, targets } of programs) {
      const times = await interleave(
        sidesOf(rootfs, (inside) => () => timeMs(() => inside(argv))),
        rounds,
      );
      yield { title: argv.join(" "), unit: "ms", times, ours: "anyproc", targets };
    }
  } finally {
    remove();
  }
}
