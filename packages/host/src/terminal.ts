import type { Command } from "@anyproc/core";
import { checkDirectory, type LocalProgram, type LocalPtyProgram } from "@anyproc/core/child-process";

/** The same program, on a terminal of the size that the command asks for. */
export function onTerminal(program: LocalProgram, command: Command): LocalPtyProgram {
  checkDirectory(program);
  const { columns = 80, rows = 24 } = typeof command.pty === "object" ? command.pty : {};
  const { name, cwd, env, stdin } = program;
  return { name, cwd, env, stdin, size: { columns, rows }, ...throughShell(program) };
}

// The terminal library does not say why a program could not be executed; sh(1) has a message and an exit code for it.
function throughShell({ file, args }: LocalProgram): Pick<LocalProgram, "file" | "args"> {
  if (process.platform === "win32") return { file, args };
  return { file: "/bin/sh", args: ["-c", 'exec "$0" "$@"', file, ...args] };
}
