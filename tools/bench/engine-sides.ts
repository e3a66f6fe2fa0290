import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { debianArchive } from "../../test-e2e/setup/debian.ts";
import type { Side } from "./rounds.ts";

/** A Debian root filesystem in a temporary directory below this one, and how to remove it. */
export function makeDebian(directory: string): { readonly rootfs: string; readonly remove: () => void } {
  const rootfs = mkdtempSync(join(directory, "anyproc-bench-"));
  chmodSync(rootfs, 0o755);
  execFileSync("tar", ["-xpf", debianArchive(), "--numeric-owner", "-C", rootfs]);
  return { rootfs, remove: () => rmSync(rootfs, { recursive: true, force: true }) };
}

const launcher = resolve(import.meta.dirname, "../../packages/proot-linux-x64/bin/anyproc-proot");
const binds = ["/dev", "/proc", "/sys"];

type Enter = (rootfs: string) => readonly string[];

const anyproc = (rootfs: string, ...options: readonly string[]): readonly string[] => [
  launcher,
  ...["--rootfs", rootfs, "--id", "0:0", ...options],
  ...(rootfs === "/" ? [] : binds.flatMap((path) => ["--bind", path, path])),
  "--",
];

/** Debian's proot and chroot(2) run on the very same tree as the engine, with the same binds where there are any. */
export const enter: Record<"anyproc" | "unpatched" | "chroot" | "proot", Enter> = {
  anyproc: (rootfs) => anyproc(rootfs),
  unpatched: (rootfs) => anyproc(rootfs, "--no-patch"),
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
export function sidesOf(rootfs: string, make: (inside: (argv: readonly string[]) => Promise<string>) => Side) {
  return Object.fromEntries(
    Object.entries(enter).map(([name, prefix]) => [name, make((argv) => run([...prefix(rootfs), ...argv]))]),
  );
}
