import { Command, Option } from "commander";
import { environmentNames } from "../environments/names.ts";
import type { EnvironmentOptions } from "../environments/options.ts";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addImageOptions, type ImageOptions } from "./image-options.ts";
import { addProcessOptions, collect, type ProcessOptions } from "./process-options.ts";
import { addSshOptions } from "./ssh-options.ts";

/** Options of `anyproc run`. */
export interface RunOptions extends ProcessOptions, EnvironmentOptions, ImageOptions, OutputOptions {}

/** `anyproc run`. */
export function runCommand(setExitCode: SetExitCode): Command {
  const command = new Command("run")
    .description("run a command in an environment")
    .usage("[options] [--] COMMAND [ARG...]")
    .argument("[command...]", "program and arguments; options end at the first word or at --")
    .passThroughOptions();
  command
    .optionsGroup("Where:")
    .addOption(
      new Option("--on <environment>", "host, docker, ssh or proot; guessed from the other options, else host")
        .choices([...environmentNames])
        // The choices serve help and completion: the message for a wrong one is ours.
        .argParser((name) => name),
    )
    .addOption(new Option("--image <reference>", "on docker and, with --on proot, on proot: the image"))
    .addOption(new Option("--container <name>", "on docker: a container that is running, instead of a new one"))
    .addOption(new Option("--host <[user@]host[:port]>", "on ssh: the machine"))
    .optionsGroup("What:");
  addProcessOptions(command)
    .optionsGroup("On host:")
    .addOption(new Option("--chroot <dir>", "make this directory the program's /, as chroot(8) does; needs root"))
    .optionsGroup("On docker:")
    .addOption(new Option("-p, --publish <[host:]port[/udp]>", "publish a port, a range too").argParser(collect))
    .addOption(new Option("-v, --volume <[source:]dir[:ro]>", "mount a path or a named volume").argParser(collect))
    .addOption(new Option("--network <name>", "none, host, or a network; again for more").argParser(collect))
    .addOption(new Option("--name <name>", "the container's name"))
    .addOption(new Option("--pull <when>", "missing, always or never (default: missing)"))
    .addOption(new Option("--rm", "remove the container when the command has ended (default)"))
    .addOption(new Option("--no-rm", "keep the container"))
    .addOption(new Option("--docker-host <url>", "unix://, tcp:// or ssh:// (default: as docker would choose)"))
    .optionsGroup("On ssh:");
  addSshOptions(command)
    .optionsGroup("On proot:")
    .addOption(new Option("-r, --rootfs <dir>", "the directory that becomes the guest's /"))
    .addOption(new Option("-R <dir>", "--rootfs, your own identity, and the host's accounts, network and home"))
    .addOption(new Option("-S <dir>", "--rootfs, root's identity, and the host's network and home"))
    .addOption(
      new Option(
        "-b, --bind <host[:guest[:ro]]>",
        "show a host path in the guest, read-only with :ro, if it exists with :optional",
      ).argParser(collect),
    )
    .addOption(new Option("-0, --root-id", "appear to be root (default, except with -R)"))
    .addOption(new Option("--id <uid:gid>", "appear to be this user and group"))
    .addOption(new Option("--kill-on-exit", "end every guest process when the command ends (default)"))
    .addOption(new Option("--no-kill-on-exit", "wait for every guest process instead"))
    .addOption(new Option("--strict", "refuse system calls that the engine does not know (default)"))
    .addOption(new Option("--no-strict", "pass them on to the kernel, host paths and all"));
  addImageOptions(command.optionsGroup("Images (on docker: --platform):"));
  return command
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc run -e LANG=C --timeout 10 -- make test
  $ anyproc run --image debian:12 -v "$PWD:/src" -w /src -- make
  $ anyproc run --host deploy@box.example.org -t -- top
  $ anyproc run --rootfs ./debian -b "$PWD:/src:ro" -w /src -t bash
  $ anyproc run --on proot --image debian:12 -- cat /etc/os-release

Exit status: the command's own; 128+N when signal N ended it; 127 not found; 126 not executable;
125 when anyproc itself failed; 124 when --timeout was over.`,
    )
    .action(async (argv: string[], _options: unknown, self: Command) => {
      const { run } = await import("../run/run.ts");
      setExitCode(await run(argv, self.optsWithGlobals<RunOptions>()));
    });
}
