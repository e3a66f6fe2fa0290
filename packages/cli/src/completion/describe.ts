import type { Argument, Command, Option } from "commander";
import { collect } from "../commands/process-options.ts";

/** What can be offered for a value. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "directory" | "file" | "user" | "variable" | "command" | "none" };

/** An option, as far as completion is concerned. */
export interface OptionDescription {
  /** `-w`, `--workdir` */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined when the option takes no value. */
  readonly values: Values | undefined;
  readonly repeatable: boolean;
}

/** A subcommand, as far as completion is concerned. */
export interface CommandDescription {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  /** What follows the options; undefined for nothing. */
  readonly operands: Values | undefined;
}

/** A command line, as far as completion is concerned. */
export interface ProgramDescription extends CommandDescription {
  readonly commands: readonly CommandDescription[];
}

/** Reads a command line's definition. */
export function describeProgram(program: Command): ProgramDescription {
  const commands = program.commands.map(describeCommand);
  return {
    ...describeCommand(program),
    operands: { kind: "words", words: commands.map(({ name }) => name) },
    commands,
  };
}

function describeCommand(command: Command): CommandDescription {
  const [operand] = command.registeredArguments;
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(describeOption),
    operands: operand && operandValues(operand),
  };
}

function describeOption(option: Option): OptionDescription {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    values: option.required || option.optional ? optionValues(option) : undefined,
    repeatable: (option.parseArg as unknown) === collect,
  };
}

function optionValues(option: Option): Values {
  if (option.argChoices) return { kind: "words", words: option.argChoices };
  const placeholder = /[<[](.*)[>\]]/.exec(option.flags)?.[1] ?? "";
  if (placeholder === "dir" || placeholder.startsWith("host[:guest")) return { kind: "directory" };
  if (placeholder === "file" || placeholder.endsWith("|file")) return { kind: "file" };
  if (placeholder === "K=V") return { kind: "variable" };
  return { kind: placeholder.endsWith("|name") ? "user" : "none" };
}

function operandValues(operand: Argument): Values {
  if (operand.argChoices) return { kind: "words", words: operand.argChoices };
  return { kind: operand.name() === "file" ? "file" : "command" };
}
