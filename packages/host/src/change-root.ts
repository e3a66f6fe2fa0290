import { statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type UserIds, unsupported } from "@anyproc/core";
import type { LocalProgram } from "@anyproc/core/child-process";

/**
 * The same program started by chroot(1) of GNU coreutils, which can do three things at once that node:child_process
 * cannot: change the root directory, set supplementary groups, and become another user in that new root.
 *
 * @param cwd where to run inside the new root; undefined keeps the directory, which only works when the root stays `/`
 */
export function changeRoot(program: LocalProgram, root: string, cwd: string | undefined): LocalProgram {
  const { user, file, args } = program;
  const options = [...(user ? identity(user) : []), ...(cwd === undefined ? ["--skip-chdir"] : [])];
  const inside = cwd === undefined || cwd === "/" ? [] : ["/bin/sh", "-c", 'cd "$0" && exec "$@"', cwd];
  return { ...program, user: undefined, file: findChroot(), args: [...options, root, ...inside, file, ...args] };
}

function identity({ uid, gid, additionalGids = [] }: UserIds): string[] {
  if (process.platform !== "linux") {
    throw unsupported("host", "this user", "outside Linux, leave additionalGids, chroot and pty unset");
  }
  // A plus sign says that this is a number, even where a user is called 1000.
  return [
    `--userspec=+${uid}:+${gid ?? process.getgid?.() ?? 0}`,
    `--groups=${additionalGids.map((id) => `+${id}`).join(",")}`,
  ];
}

function findChroot(): string {
  // It is an administrator's tool: ordinary search paths leave its directory out.
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/bin", "/sbin"];
  for (const directory of directories) {
    const path = join(directory, "chroot");
    if (directory.startsWith("/") && statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  }
  throw unsupported("host", "chroot", "install GNU coreutils, whose chroot(1) is missing");
}
