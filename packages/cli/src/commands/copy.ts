import { Command, Option } from "commander";
import type { SshOptions } from "../environments/ssh.ts";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addSshOptions } from "./ssh-options.ts";

/** Options of `anyproc copy`. */
export interface CopyOptions extends SshOptions, OutputOptions {
  readonly delete?: boolean;
  readonly checksum?: boolean;
}

/** `anyproc copy`. */
export function copyCommand(setExitCode: SetExitCode): Command {
  const command = new Command("copy")
    .description("copy a directory to or from another machine; only what has changed travels")
    .usage("[options] SOURCE TARGET")
    .argument("<source>", "DIR, dir:PATH or ssh://[USER@]HOST[:PORT]/PATH")
    .argument("<target>", "the same; one of the two is on another machine")
    .addOption(new Option("--delete", "remove from the target what the source does not have"))
    .addOption(new Option("--checksum", "tell unchanged files by reading them, not by size and time"))
    .optionsGroup("On ssh:");
  return addSshOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc copy ./site ssh://deploy@box.example.org/srv/site --delete
  $ anyproc copy ssh://box.example.org:2222/var/log/app ./logs

A copy that was interrupted goes on where it stopped. What could not be kept is told, and is no failure.`,
    )
    .action(async (source: string, target: string, _options: unknown, self: Command) => {
      const { copy } = await import("../copy/copy.ts");
      await copy(source, target, self.optsWithGlobals<CopyOptions>());
      setExitCode(0);
    });
}
