import type { Command, PtySize, UserIds } from "@anyproc/core";
import { checkArgumentsLength } from "@anyproc/core/remote-shell";

/** A program and its variables in the daemon's words. */
export interface ProgramConfig {
  readonly argv: string[];
  /** `NAME=value`, or `NAME` alone to take a variable of the image's away. */
  readonly env: string[];
  /** What the program must not have. The runtime sets HOME whatever it is told: only a shell can take that away. */
  readonly removed: string[];
}

// What daemons and runtimes set of their own accord.
const daemonVariables = ["PATH", "HOSTNAME", "HOME", "TERM", "container"];

/**
 * Spells argv and variables.
 *
 * @param inherited names of the variables that the program would get without being told
 * @throws ANYPROC_ARGUMENTS_TOO_LONG
 */
export function programConfig(
  command: Command,
  own: Readonly<Record<string, string | undefined>>,
  inherited: readonly string[],
): ProgramConfig {
  const replaces = command.extendEnv === false;
  const removable = [...inherited, ...daemonVariables].map((name) => [name, undefined]);
  const variables: Record<string, string | undefined> = Object.assign(
    Object.create(null),
    replaces ? Object.fromEntries(removable) : own,
    command.env,
  );
  const env = Object.entries(variables).map(([name, value]) => (value === undefined ? name : `${name}=${value}`));
  const argv = command.argv.map(String);
  checkArgumentsLength([...argv, ...env]);
  return { argv, env, removed: Object.keys(variables).filter((name) => variables[name] === undefined) };
}

/** Names of variables as the daemon lists them, `NAME=value`. */
export function variableNames(env: readonly string[]): string[] {
  return env.map((variable) => variable.split("=")[0] ?? "").filter((name) => name !== "");
}

/** The same program behind a few words of shell, which needs the image to have one. */
export function throughShell(script: readonly string[], argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", [...script, 'exec "$0" "$@"'].join("; "), ...argv];
}

/** Shell text that takes variables away; none where there are none. */
export function unsetScript(names: readonly string[]): string[] {
  // What is no name to a shell cannot be unset in one.
  const known = names.filter((name) => /^[A-Za-z_]\w*$/.test(name));
  return known.length > 0 ? [`unset ${known.join(" ")}`] : [];
}

/** Shell text that gives a terminal its size before the program starts. */
export function terminalSizeScript(pty: PtySize | boolean): string {
  const { rows, columns } = sizeOf(pty);
  return `stty rows ${rows} cols ${columns} 2>/dev/null`;
}

/** The size of a terminal with what was left out. */
export function sizeOf(pty: PtySize | boolean): Required<PtySize> {
  const { columns = 80, rows = 24 } = typeof pty === "object" ? pty : {};
  return { columns, rows };
}

/** A user in the daemon's words. */
export function userText(user: UserIds | string): string {
  if (typeof user === "string") return user;
  return user.gid === undefined ? String(user.uid) : `${user.uid}:${user.gid}`;
}
