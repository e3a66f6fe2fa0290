import { Command } from "commander";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { addImageOptions, type ImageOptions } from "./image-options.ts";

/** Options of `anyproc copy`. */
export interface CopyOptions extends ImageOptions, OutputOptions {}

/** `anyproc copy`. */
export function copyCommand(setExitCode: SetExitCode): Command {
  const command = new Command("copy")
    .description("copy a root filesystem between a directory and a registry, a layout or an archive")
    .argument("<source>", "registry:REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, tar:FILE or dir:DIR")
    .argument("<destination>", "dir:DIR, or registry:REF for what is in a directory");
  return addImageOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ anyproc copy registry:debian:12 dir:./debian
  $ anyproc copy dir:./debian registry:localhost:5000/debian:mine`,
    )
    .action(async (source: string, destination: string, _options: unknown, self: Command) => {
      const { copy } = await import("../images/copy.ts");
      await copy(source, destination, self.optsWithGlobals<CopyOptions>());
      setExitCode(0);
    });
}
