import { Argument, Command } from "commander";
import type { SetExitCode } from "../program.ts";

/**
 * `anyproc help`, for the subcommands of these names. It is not commander's own, so that a mistyped name is refused in
 * the same words as anywhere else.
 */
export function helpCommand(_setExitCode: SetExitCode, names: readonly string[]): Command {
  return new Command("help")
    .description("print the help of a command")
    .usage("[COMMAND]")
    .addArgument(
      new Argument("[command]", "the command")
        .choices(names)
        // The choices serve help and completion: the message for a wrong one is that of a wrong command.
        .argParser((name) => name),
    )
    .addHelpText("after", "\nExample:\n  $ anyproc help run")
    .action(async (name: string | undefined, _options: unknown, self: Command) => {
      const program = self.parent ?? self;
      const command = name === undefined ? program : program.commands.find((known) => known.name() === name);
      if (command) command.help();
      else if (name !== undefined) await program.parseAsync([name], { from: "user" });
    });
}
