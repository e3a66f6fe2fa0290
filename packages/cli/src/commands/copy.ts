import { Command, Option } from "commander";
import type { SshOptions } from "../environments/ssh.ts";
import { isImagePlace } from "../images/places.ts";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addImageOptions, type ImageOptions } from "./image-options.ts";
import { addSshOptions } from "./ssh-options.ts";

/** Options of `anyproc copy`. */
export interface CopyOptions extends SshOptions, ImageOptions, OutputOptions {
  readonly delete?: boolean;
  readonly checksum?: boolean;
}

/** `anyproc copy`. */
export function copyCommand(setExitCode: SetExitCode): Command {
  const command = new Command("copy")
    .description("copy a directory to or from another machine, or between a directory and a registry")
    .usage("[options] SOURCE TARGET")
    .argument("<source>", "DIR, dir:PATH, ssh://[USER@]HOST[:PORT]/PATH, registry:REF, or an image in a file")
    .argument("<target>", "DIR or dir:PATH for what is elsewhere, else ssh:// or registry:REF")
    .addOption(new Option("--delete", "remove from the target what the source does not have"))
    .addOption(new Option("--checksum", "tell unchanged files by reading them, not by size and time"))
    .optionsGroup("On ssh:");
  addSshOptions(command).optionsGroup("Images:");
  return addImageOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc copy ./site ssh://deploy@box.example.org/srv/site --delete
  $ anyproc copy ssh://box.example.org:2222/var/log/app ./logs
  $ anyproc copy registry:debian:12 dir:./debian
  $ anyproc copy dir:./debian registry:localhost:5000/debian:mine

Images in files are oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE and tar:FILE.
A copy that was interrupted goes on where it stopped. What could not be kept is told, and is no failure.`,
    )
    .action(async (source: string, target: string, _options: unknown, self: Command) => {
      const isImage = isImagePlace(source) || isImagePlace(target);
      const { copy } = await (isImage ? import("../images/copy.ts") : import("../copy/copy.ts"));
      await copy(source, target, self.optsWithGlobals<CopyOptions>());
      setExitCode(0);
    });
}
