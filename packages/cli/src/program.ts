import { readFileSync } from "node:fs";
import { Command, type CommanderError } from "commander";
import { addGlobalOptions } from "./commands/global-options.ts";
import { writeOutput } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** What a subcommand calls with its exit status. */
export type SetExitCode = (exitCode: number) => void;

type Subcommand = (setExitCode: SetExitCode, names: readonly string[]) => Command;

const subcommands: Readonly<Record<string, () => Promise<Subcommand>>> = {
  run: async () => (await import("./commands/run.ts")).runCommand,
  pull: async () => (await import("./commands/pull.ts")).pullCommand,
  copy: async () => (await import("./commands/copy.ts")).copyCommand,
  emrun: async () => (await import("./commands/emrun.ts")).emrunCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  completion: async () => (await import("./commands/completion.ts")).completionCommand,
  help: async () => (await import("./commands/help.ts")).helpCommand,
};

// These two look at all the others.
const overviews: readonly string[] = ["completion", "help"];

/**
 * The command line as data: all of it, or the one subcommand that `args` begin with, since starting takes long enough as
 * it is. What a subcommand needs to do its work is not loaded before it does.
 */
export async function createProgram(setExitCode: SetExitCode, args: readonly string[] = []): Promise<Command> {
  const program = new Command("anyproc")
    .description(
      "Runs a program anywhere: on this machine, on another one over SSH, in a container, or inside a plain root filesystem directory.",
    )
    .usage("[options] COMMAND")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", "\nExample:\n  $ anyproc run --rootfs ./debian -- cat /etc/os-release");
  for (const name of neededSubcommands(args)) {
    const subcommand = await subcommands[name]?.();
    if (subcommand) program.addCommand(subcommand(setExitCode, Object.keys(subcommands)));
  }
  for (const command of [program, ...program.commands]) {
    addGlobalOptions(command);
    command.configureOutput({ writeOut: writeOutput, outputError: () => {} });
    command.configureHelp({ subcommandTerm: (subcommand) => subcommand.name() });
    command.exitOverride((error) => {
      throw error.exitCode === 0 || error.code === "commander.help" ? error : usageError(command, error);
    });
  }
  for (const command of program.commands) command.helpOption("-h, --help", "print this help");
  return program;
}

function neededSubcommands([word = ""]: readonly string[]): readonly string[] {
  const isEnough = Object.hasOwn(subcommands, word) && !overviews.includes(word);
  return isEnough ? [word] : Object.keys(subcommands);
}

/** The words up to a subcommand that does not exist, and all words where there is none: an option cannot follow it. */
export function untilUnknownSubcommand(args: readonly string[]): readonly string[] {
  // What comes before a subcommand takes no value.
  const at = args.findIndex((word) => !word.startsWith("-"));
  return at === -1 || Object.hasOwn(subcommands, args[at] ?? "") ? args : args.slice(0, at + 1);
}

/** Commander's error in the form that every failure of anyproc has. */
function usageError(command: Command, error: CommanderError): UsageError {
  const [what = "", hint] = error.message.replace(/^error: /, "").split(/\.?(?:\n|$)/);
  const begun = optionsThatBeginSo(command, /^unknown option '(--[^']+)'$/.exec(what)?.[1]);
  const similar = /\(Did you mean (?:one of )?(.*)\?\)/.exec(hint ?? "")?.[1];
  const suggestion = (begun || similar)?.replace(/, (?=[^,]*$)/, " or ");
  const name = command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
  const where = command.parent ? `${command.name()}: ` : "";
  return new UsageError(`${where}${what}: ${suggestion ? `did you mean ${suggestion}?` : `see \`${name} --help\``}`);
}

function optionsThatBeginSo(command: Command, beginning = "\0"): string {
  return command.options
    .flatMap(({ long }) => (long?.startsWith(beginning) ? [long] : []))
    .sort()
    .join(", ");
}

function packageVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
