import type { Command } from "commander";
import type { Shell } from "../commands/completion.ts";
import { bashCompletion } from "./bash.ts";
import { describeProgram } from "./describe.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** The completion script of a shell, made from the options and subcommands as they are defined. */
export function completionScript(shell: Shell, program: Command): string {
  return scripts[shell](describeProgram(program));
}
