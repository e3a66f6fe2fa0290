import { Command, Option } from "commander";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addImageOptions, type ImageOptions, wholeNumber } from "./image-options.ts";
import { collect } from "./process-options.ts";

/** Options of `anyproc pull`. */
export interface PullOptions extends ImageOptions, OutputOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly stripComponents?: number;
  readonly configOut?: string;
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  readonly maxMemory?: number;
}

/** `anyproc pull`. */
export function pullCommand(setExitCode: SetExitCode): Command {
  const command = new Command("pull")
    .description("unpack an image from a registry, a layout or an archive into a directory")
    .argument("<reference>", "the image: debian:12, ghcr.io/team/tool@sha256:..., oci:DIR[:TAG], ./archive.tar")
    .argument("<directory>", "where to: it must not exist yet, or be empty");
  addImageOptions(command)
    .addOption(new Option("--include <glob>", "unpack only what matches").argParser(collect))
    .addOption(new Option("--exclude <glob>", "leave out what matches").argParser(collect))
    .addOption(
      new Option("--strip-components <n>", "take this many names off every path").argParser(
        wholeNumber("--strip-components"),
      ),
    )
    .addOption(new Option("--config-out <file>", "write the image's config there, as JSON"))
    .addOption(
      new Option("--max-bytes <n>", "refuse an image that unpacks to more").argParser(wholeNumber("--max-bytes")),
    )
    .addOption(new Option("--max-entries <n>", "refuse an image of more files").argParser(wholeNumber("--max-entries")))
    .addOption(
      new Option("--max-memory <n>", "refuse an image that takes more bytes of memory").argParser(
        wholeNumber("--max-memory"),
      ),
    );
  return command
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc pull debian:12 ./debian && anyproc run --rootfs ./debian -- cat /etc/os-release
  $ anyproc pull --include etc/os-release --offline debian:12 ./part

With --json, progress is one JSON document a line.`,
    )
    .action(async (reference: string, directory: string, _options: unknown, self: Command) => {
      const { pull } = await import("../images/pull.ts");
      await pull(reference, directory, self.optsWithGlobals<PullOptions>());
      setExitCode(0);
    });
}
