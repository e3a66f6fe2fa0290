import { Argument, Command } from "commander";
import { type OutputOptions, writeJson, writeOutput } from "../output.ts";
import type { SetExitCode } from "../program.ts";

/** The shells that there is a completion script for. */
export type Shell = "bash" | "zsh" | "fish";

/** `anyproc completion`. */
export function completionCommand(_setExitCode: SetExitCode): Command {
  return new Command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(anyproc completion bash)                                   # in ~/.bashrc
  $ anyproc completion zsh > "\${fpath[1]}/_anyproc"
  $ anyproc completion fish > ~/.config/fish/completions/anyproc.fish`,
    )
    .action(async (shell: Shell, _options: unknown, self: Command) => {
      const { completionScript } = await import("../completion/completion.ts");
      const script = completionScript(shell, self.parent ?? self);
      if (self.optsWithGlobals<OutputOptions>().json) writeJson({ shell, script });
      else writeOutput(script);
    });
}
