import { Command, Option } from "commander";
import type { OutputOptions } from "../output.ts";
import type { SetExitCode } from "../program.ts";
import { collect } from "./process-options.ts";

/** Options of `anyproc emrun`. */
export interface EmrunOptions extends OutputOptions {
  /** Digests, or files of them. */
  readonly allow?: readonly string[];
  /** Digests, or files of them. */
  readonly deny?: readonly string[];
  readonly default?: string;
  readonly tempFile?: boolean;
}

/** `anyproc emrun`. */
export function emrunCommand(setExitCode: SetExitCode): Command {
  return new Command("emrun")
    .description("run an executable or a script from memory, under a policy")
    .usage("[options] FILE|- [-- ARG...]")
    .argument("<file>", "the executable or script; - reads it from stdin")
    .argument("[arg...]", "its arguments")
    .passThroughOptions()
    .addOption(
      new Option("--allow <sha|file>", "let this SHA-256 run, or those of a file of sha256sum's").argParser(collect),
    )
    .addOption(
      new Option("--deny <sha|file>", "keep this SHA-256 from running; goes before --allow").argParser(collect),
    )
    .addOption(
      new Option("--default <verdict>", "for all others (default: allow, and deny when there is an --allow)").choices([
        "allow",
        "deny",
      ]),
    )
    .addOption(new Option("--temp-file", "run it from a temporary file, not from memory"))
    .addHelpText(
      "after",
      `
Examples:
  $ curl -fsSL https://example.org/tool | anyproc emrun --allow SHA256SUMS - -- --version
  $ anyproc emrun ./script.sh

Exit status: the payload's own; 128+N when signal N ended it; 127 file or interpreter not found;
126 not executable, or denied by the policy; 125 when anyproc itself failed.`,
    )
    .action(async (file: string, args: string[], _options: unknown, self: Command) => {
      const { emrun } = await import("../emrun/emrun.ts");
      setExitCode(await emrun(file, args, self.optsWithGlobals<EmrunOptions>()));
    });
}
