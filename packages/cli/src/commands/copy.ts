import { Command, Option } from "commander";
import { isDockerPlace } from "../copy/docker-place.ts";
import type { SshOptions } from "../environments/ssh.ts";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addImageOptions, type ImageOptions } from "./image-options.ts";
import { addSshOptions } from "./ssh-options.ts";

/** Options of `anyproc copy`. */
export interface CopyOptions extends SshOptions, ImageOptions, OutputOptions {
  readonly delete?: boolean;
  readonly checksum?: boolean;
  readonly dockerHost?: string;
}

/** `anyproc copy`. */
export function copyCommand(setExitCode: SetExitCode): Command {
  const command = new Command("copy")
    .description(
      "copy a root filesystem to or from another machine, a Docker daemon, a registry, a layout or an archive",
    )
    .usage("[options] SOURCE TARGET")
    .argument(
      "<source>",
      "dir:DIR, ssh://[USER@]HOST[:PORT]/PATH, docker:IMAGE, docker:CONTAINER:/PATH, registry:REF, oci:DIR[:TAG] or an archive",
    )
    .argument(
      "<target>",
      "dir:DIR, ssh://[USER@]HOST[:PORT]/PATH, docker:IMAGE, docker:CONTAINER:/PATH, registry:REF, oci:DIR[:TAG] or an archive",
    );
  addSshOptions(
    command
      .optionsGroup("On ssh:")
      .addOption(new Option("--delete", "remove from the target what the source does not have"))
      .addOption(new Option("--checksum", "tell unchanged files by reading them, not by size and time")),
  );
  command
    .optionsGroup("On docker:")
    .addOption(new Option("--docker-host <url>", "unix://, tcp:// or ssh:// (default: as docker would choose)"));
  return addImageOptions(command.optionsGroup("Images:"))
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc copy ./site ssh://deploy@box.example.org/srv/site --delete
  $ anyproc copy ssh://box.example.org:2222/var/log/app ./logs
  $ anyproc copy registry:debian:12 dir:./debian
  $ anyproc copy dir:./debian registry:localhost:5000/debian:mine
  $ anyproc copy docker:debian:12 dir:./debian
  $ anyproc copy dir:./debian docker:debian:mine
  $ anyproc copy ./site docker:web:/srv/site
  $ anyproc copy docker:web:/var/log tar:logs.tar
  $ anyproc copy dir:./debian docker-archive:debian.tar:debian:mine

Archives are oci-archive:FILE, docker-archive:FILE and tar:FILE. An image becomes a directory with what it says about
running it kept beside, and with that an image again. docker:CONTAINER:/ is all of a container, running or not. A copy over ssh that was interrupted goes on where it
stopped; what could not be kept is told, and is no failure.`,
    )
    .action(async (source: string, target: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<CopyOptions>();
      if ([source, target].some((place) => place.startsWith("ssh://"))) {
        const { copyOverSsh } = await import("../copy/copy-over-ssh.ts");
        await copyOverSsh(source, target, options);
      } else if ([source, target].some(isDockerPlace)) {
        const { copyDocker } = await import("../copy/copy-docker.ts");
        await copyDocker(source, target, options);
      } else {
        const { copyImage } = await import("../copy/copy-image.ts");
        await copyImage(source, target, options);
      }
      setExitCode(0);
    });
}
