import { type Argument, type Command, execScript, quoteForShell, type UserIds, unsupported } from "@anyproc/core";
import { argumentsTooLong, checkArgumentsLength } from "@anyproc/core/remote-shell";
import type { SessionOptions } from "../options.ts";

/** What a remote shell is given to run. */
export interface CommandLine {
  /** The command line of the exec request. */
  readonly line: string;
  /** Bytes that go before everything else into stdin; empty where the line says it all. */
  readonly preamble: string;
}

// The whole line is one argument of the remote shell.
const maxLineBytes = 100_000;

// Variables that shells treat as their own; env(1) sets them behind the shell's back.
const isPlainVariable = (name: string): boolean =>
  /^[A-Z_][A-Z0-9_]*$/.test(name) &&
  !/^(_|BASH.*|DIRSTACK|E?[UG]ID|ENV|EPOCH.*|ERRNO|FUNCNAME|GROUPS|HIST.*|IFS|LINENO|OLDPWD|OPT.*|PATH|PIPESTATUS|POSIX.*|PPID|PS[0-9]|PWD|S?RANDOM|SECONDS|SHELL.*|SHLVL|USERNAME|ZSH.*)$/.test(
    name,
  );

/**
 * Spells a command for the remote user's shell, which must be a POSIX one. Before the program takes its place, the
 * shell writes the header (CommandHeader) to stderr, or to the terminal.
 *
 * @throws ANYPROC_ARGUMENTS_TOO_LONG
 */
export function commandLine(command: Command, session: SessionOptions, headerStart: string): CommandLine {
  const script = programScript(command, session, headerStart);
  const line = command.user === undefined ? script : `exec ${sudo(command.user)} /bin/sh -c ${quoteForShell(script)}`;
  if (Buffer.byteLength(line) <= maxLineBytes) return { line, preamble: "" };
  if (command.pty) throw argumentsTooLong("with a terminal, a command line may have 100000 bytes at most");
  // The shell's read takes single bytes, so that what follows the first line is the program's. Newlines only ever
  // stand inside quotes.
  return {
    line: `anyproc_newline='\n'; IFS= read -r anyproc_script; eval "$anyproc_script"`,
    preamble: `${line.replaceAll("\n", `'"$anyproc_newline"'`)}\n`,
  };
}

/** The words of sudo(8) that make somebody else run what follows. */
export function sudo(user: UserIds | string): string {
  if (typeof user === "string") return `sudo -n -u ${quoteForShell(user)} --`;
  if (user.additionalGids?.length) {
    throw unsupported("ssh", "additionalGids", "name a user who has those groups on the remote machine");
  }
  const group = user.gid === undefined ? "" : ` -g '#${user.gid}'`;
  return `sudo -n -u '#${user.uid}'${group} --`;
}

function programScript(command: Command, session: SessionOptions, headerStart: string): string {
  const header = (what: string): string => `printf '\\036${headerStart} %s\\n' ${what}${command.pty ? "" : " >&2"}`;
  const steps: string[] = [];
  const cwd = command.cwd ?? session.cwd;
  if (cwd !== undefined) {
    const path = quoteForShell(cwd.startsWith("/") ? cwd : `./${cwd}`);
    steps.push(`cd ${path} 2>/dev/null || { ${header("cwd")}; exit 1; }`);
  }
  const { exports, argv } = withVariables(command, session);
  checkArgumentsLength([...argv, ...exports]);
  steps.push(...exports, header('"$$"'), `${execScript(argv)}${redirections(command)}`);
  return steps.join("; ");
}

function withVariables(command: Command, session: SessionOptions): { exports: string[]; argv: Argument[] } {
  const replaces = command.extendEnv === false;
  const variables = Object.entries(replaces ? { ...command.env } : { ...session.env, ...command.env });
  const exports: string[] = [];
  const words: string[] = [];
  for (const [name, value] of variables) {
    if (value === undefined) {
      if (!replaces) words.unshift("-u", name);
    } else if (replaces || !isPlainVariable(name)) {
      words.push(`${name}=${value}`);
    } else {
      exports.push(`export ${name}=${quoteForShell(value)}`);
    }
  }
  // A name with "-" in front would be an option of exec, one with "=" a variable of env.
  const [program] = command.argv;
  const isOdd = typeof program === "string" && program.startsWith("-");
  const needsEnv = replaces || words.length > 0 || isOdd;
  if (!needsEnv) return { exports, argv: [...command.argv] };
  const guard = String(program).includes("=") ? ["/bin/sh", "-c", 'exec "$0" "$@"'] : [];
  return { exports, argv: ["env", ...(replaces ? ["-i"] : []), ...words, ...guard, ...command.argv] };
}

function redirections({ stdin, stdout, stderr, pty }: Command): string {
  // What has a terminal has it for all three streams.
  if (pty) return "";
  return [
    stdin === "null" ? " </dev/null" : "",
    stdout === "null" ? " >/dev/null" : "",
    stderr === "null" ? " 2>/dev/null" : "",
  ].join("");
}
