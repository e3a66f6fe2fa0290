import { readFileSync } from "node:fs";
import { Command, type CommanderError } from "commander";
import { completionCommand } from "./commands/completion.ts";
import { copyCommand } from "./commands/copy.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { emrunCommand } from "./commands/emrun.ts";
import { addGlobalOptions } from "./commands/global-options.ts";
import { helpCommand } from "./commands/help.ts";
import { pullCommand } from "./commands/pull.ts";
import { runCommand } from "./commands/run.ts";
import { writeOutput } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** What a subcommand calls with its exit status. */
export type SetExitCode = (exitCode: number) => void;

/** The whole command line as data. Nothing that a subcommand needs is loaded before that subcommand runs. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command("anyproc")
    .description(
      "Runs a program anywhere: on this machine, on another one over SSH, or inside a plain root filesystem directory.",
    )
    .usage("[options] COMMAND")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", "\nExample:\n  $ anyproc run --rootfs ./debian -- cat /etc/os-release");
  for (const command of [runCommand, pullCommand, copyCommand, emrunCommand, doctorCommand, completionCommand]) {
    program.addCommand(command(setExitCode));
  }
  program.addCommand(helpCommand(program.commands.map((command) => command.name())));
  for (const command of [program, ...program.commands]) {
    addGlobalOptions(command);
    command.configureOutput({ writeOut: writeOutput, outputError: () => {} });
    command.exitOverride((error) => {
      throw error.exitCode === 0 || error.code === "commander.help" ? error : usageError(command, error);
    });
  }
  for (const command of program.commands) command.helpOption("-h, --help", "print this help");
  return program;
}

/** Commander's error in the form that every failure of anyproc has. */
function usageError(command: Command, error: CommanderError): UsageError {
  const [what = "", hint] = error.message.replace(/^error: /, "").split(/\.?(?:\n|$)/);
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(hint ?? "")?.[1];
  const name = command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
  const where = command.parent ? `${command.name()}: ` : "";
  return new UsageError(`${where}${what}: ${suggestion ? `did you mean ${suggestion}?` : `see \`${name} --help\``}`);
}

function packageVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
