import { type Command, execScript, mergeEnv, programName } from "@anyproc/core";
import { checkDirectory, type LocalProgram } from "@anyproc/core/child-process";
import { changeRoot } from "./change-root.ts";
import type { HostSettings } from "./options.ts";
import { resolveInside } from "./resolve-inside.ts";
import { resolveUser } from "./user.ts";

/** Decides everything about a command's run here: the file, its arguments, variables, directory and user. */
export function toProgram(command: Command, settings: HostSettings): LocalProgram {
  const { rootfs } = settings;
  const user = command.user === undefined ? undefined : resolveUser(command.user, settings.chroot ? rootfs : undefined);
  const cwd = command.cwd ?? settings.cwd;
  const program: LocalProgram = {
    name: programName(command),
    ...toFile(command),
    cwd: rootfs === undefined ? cwd : resolveInside(rootfs, cwd ?? "/"),
    env: mergeEnv(ownEnv(settings), command),
    stdin: command.stdin,
    stdout: command.stdout,
    stderr: command.stderr,
    detached: settings.detached,
    user,
  };
  if (rootfs !== undefined && settings.chroot) {
    // It would fail in the words of the tool that changes the root.
    checkDirectory(program);
    return changeRoot(program, rootfs, cwd ?? "/");
  }
  // node:child_process cannot set supplementary groups, and the terminal library leaves root's own in place.
  const needsGroups = user !== undefined && (command.pty || (user.additionalGids?.length ?? 0) > 0);
  return needsGroups ? changeRoot(program, "/", undefined) : program;
}

function toFile(command: Command): Pick<LocalProgram, "file" | "args"> {
  const { argv } = command;
  const [file, ...args] = argv;
  if (typeof file === "string" && args.every((argument) => typeof argument === "string")) return { file, args };
  // node:child_process takes text only; sh(1) can be told any bytes.
  return { file: "/bin/sh", args: ["-c", execScript(argv)] };
}

function ownEnv({ inheritEnv, env }: HostSettings): Readonly<Record<string, string | undefined>> {
  if (!inheritEnv) return env;
  return Object.keys(env).length === 0 ? process.env : { ...process.env, ...env };
}
