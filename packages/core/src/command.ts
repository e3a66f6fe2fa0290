import { AnyprocError } from "./errors.ts";

/** One argument: text (passed as UTF-8), or the bytes themselves where `capabilities.binaryArguments` is true. */
export type Argument = string | Uint8Array;

/** Where one of the three standard streams leads. `inherit` needs `capabilities.inherit`. */
export type StreamPolicy = "pipe" | "inherit" | "null";

const streamPolicies: readonly StreamPolicy[] = ["pipe", "inherit", "null"];

/** Size of a terminal in character cells. */
export interface PtySize {
  /** @default 80 */
  readonly columns?: number;
  /** @default 24 */
  readonly rows?: number;
}

/** Numeric identity of a process: credentials(7). */
export interface UserIds {
  readonly uid: number;
  readonly gid?: number;
  readonly additionalGids?: readonly number[];
}

/** What to run. */
export interface Command {
  /** Program and arguments; never empty, never passed through a shell. */
  readonly argv: readonly [Argument, ...Argument[]];
  /** Working directory, in the environment's own terms. @default the environment's */
  readonly cwd?: string;
  /** Variables; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Add `env` to the environment's own variables (true) or start with nothing else (false). @default true */
  readonly extendEnv?: boolean;
  /** Who runs it, by number or by name; needs `capabilities.user`. @default the environment's user */
  readonly user?: UserIds | string;
  /** Run on a terminal; stdout and stderr are then one stream, stdout. `true` means 80 by 24. @default no terminal */
  readonly pty?: PtySize | boolean;
  /** @default "pipe" */
  readonly stdin?: StreamPolicy;
  /** @default "pipe" */
  readonly stdout?: StreamPolicy;
  /** @default "pipe" */
  readonly stderr?: StreamPolicy;
}

/** An argv on its own stands for a command with nothing else set. */
export type CommandInput = Command | readonly Argument[];

/**
 * Checks a command at the door, so that no environment has to.
 *
 * @throws ANYPROC_INVALID_COMMAND for an empty argv, an empty program name, a value of another type, or a NUL byte
 * anywhere: execve(2) ends strings there, so what follows would be lost without a word.
 */
export function toCommand(input: CommandInput): Command {
  if (typeof input !== "object" || input === null)
    throw invalid(`${input === null ? "null" : `a ${typeof input}`} is no command: give an argv array`);
  const command: Partial<Command> = isArgv(input) ? { argv: input as unknown as Command["argv"] } : input;
  const argv: readonly Argument[] = command.argv ?? [];
  if (!Array.isArray(argv)) throw invalid(`argv is of type ${typeof argv}: give an array, one element per argument`);
  if (argv[0] === undefined) throw invalid("argv is empty: give the program to run as its first element");
  if (argv[0].length === 0) throw invalid("the program's name is empty: argv[0] must name a program");
  for (const [index, argument] of argv.entries()) {
    if (typeof argument !== "string" && !(argument instanceof Uint8Array)) {
      throw invalid(`argv[${index}] is of type ${typeof argument}: arguments are strings or bytes`);
    }
    if (typeof argument === "string" ? argument.includes("\0") : argument.includes(0)) {
      throw invalid(`argv[${index}] holds a NUL byte: no program can receive one in an argument`);
    }
  }
  checkText("cwd", command.cwd);
  for (const [name, value] of Object.entries(command.env ?? {})) {
    if (name === "" || name.includes("=") || name.includes("\0")) {
      throw invalid(`${JSON.stringify(name)} cannot name an environment variable: no "=", no NUL, not empty`);
    }
    checkText(`the value of ${name}`, value);
  }
  for (const stream of ["stdin", "stdout", "stderr"] as const) {
    const policy = command[stream];
    if (policy !== undefined && !streamPolicies.includes(policy)) {
      throw invalid(`${stream} is ${JSON.stringify(policy)}: choose one of ${streamPolicies.join(", ")}`);
    }
  }
  if (typeof command.pty === "object") checkPtySize(command.pty);
  checkUser(command.user);
  return command as Command;
}

/** @throws ANYPROC_INVALID_COMMAND for a size that no terminal has: tty_ioctl(4), struct winsize */
export function checkPtySize(size: PtySize): void {
  for (const name of ["columns", "rows"] as const) {
    const value = size[name] ?? 1;
    if (!Number.isInteger(value) || value < 1 || value > 0xffff) {
      throw invalid(`a terminal of ${value} ${name}: give a whole number from 1 to 65535`);
    }
  }
}

function checkText(what: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "string") throw invalid(`${what} is of type ${typeof value}: give a string`);
  if (value.includes("\0")) throw invalid(`${what} holds a NUL byte`);
}

function checkUser(user: unknown): void {
  if (user === undefined) return;
  if (typeof user === "object" && user !== null) checkIds(user as UserIds);
  else if (typeof user !== "string") throw invalid(`user is of type ${typeof user}: give a name, or { uid, gid }`);
  else if (user === "") throw invalid("user is empty: give a name, or leave it unset");
}

function checkIds({ uid, gid, additionalGids = [] }: UserIds): void {
  for (const id of [uid, gid ?? 0, ...additionalGids]) {
    // The highest one means "no change" to setresuid(2).
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32 - 1) {
      throw invalid(`user: ${id} is no user or group id: give whole numbers from 0 to ${2 ** 32 - 2}`);
    }
  }
}

/** The program's name for messages. */
export function programName(command: Command): string {
  return displayArgument(command.argv[0]);
}

/** The command as one line for people: quoted so that it could be pasted into a POSIX shell. */
export function displayCommand(command: Command): string {
  return command.argv.map(displayArgument).map(quoteForDisplay).join(" ");
}

/** The variables a program gets: `own` changed by the command's `env` and `extendEnv`. */
export function mergeEnv(
  own: Readonly<Record<string, string | undefined>>,
  command: Pick<Command, "env" | "extendEnv">,
): Record<string, string> {
  // No prototype: `__proto__` is a variable's name like any other.
  const merged: Record<string, string> = Object.create(null);
  const sources = command.extendEnv === false ? [command.env] : [own, command.env];
  for (const source of sources) {
    // One of them is process.env, which asks the system at each look: for...in would look twice.
    for (const name of Object.keys(source ?? {})) {
      const value = source?.[name];
      if (value === undefined) delete merged[name];
      else merged[name] = value;
    }
  }
  return merged;
}

function isArgv(input: CommandInput): input is readonly Argument[] {
  return Array.isArray(input);
}

function displayArgument(argument: Argument): string {
  return typeof argument === "string" ? argument : new TextDecoder().decode(argument);
}

function quoteForDisplay(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function invalid(message: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_COMMAND", message);
}
