import type { CommandDescription, OptionDescription, ProgramDescription, Values } from "./describe.ts";

/** A completion script for zsh: see "Completion Functions", _arguments, in zshcompsys(1). */
export function zshCompletion(program: ProgramDescription): string {
  const { name, commands } = program;
  return `#compdef ${name}
# ${name} completion for zsh. Put it into a directory of $fpath as _${name}, or load it after compinit with:
# source <(${name} completion zsh)

_${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -s -A '-*' \\
${program.options.map((option) => `    ${spell(option)} \\`).join("\n")}
    '1: :->command' '*:: :->operands'
  case $state in
    command)
      local -a commands=(
${commands.map((command) => `        ${quote(`${command.name}:${command.description}`)}`).join("\n")}
      )
      _describe -t commands command commands
      ;;
    operands)
      case $line[1] in
${commands.map((command) => `        ${command.name})\n          ${commandArguments(command)}\n          ;;`).join("\n")}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandArguments({ options, operands }: CommandDescription): string {
  const specs = [...options.map(spell), ...(operands ? [spellOperands(operands)] : [])];
  return `_arguments -s -A '-*' \\\n            ${specs.join(" \\\n            ")}`;
}

function spell({ flags, description, values, repeatable }: OptionDescription): string {
  const guard = repeatable ? "'*'" : quote(`(${flags.join(" ")})`);
  const tail = `[${description.replaceAll("]", "\\]")}]${values ? `: :${action(values)}` : ""}`;
  // A long option takes its value after "=" or as the next word, a short one at once or as the next word.
  const spelled = flags.map((flag) => (values ? `${flag}${flag.startsWith("--") ? "=" : "+"}` : flag));
  const names = spelled.length > 1 ? `{${spelled.join(",")}}` : (spelled[0] ?? "");
  return `${guard}${names}${quote(tail)}`;
}

function spellOperands(values: Values): string {
  return quote(values.kind === "command" ? "*::command:_normal" : `1: :${action(values)}`);
}

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return `(${values.words.join(" ")})`;
    case "directory":
      return "_files -/";
    case "file":
      return "_files";
    case "user":
      return "_users";
    case "variable":
      return "_parameters -g '*export*'";
    case "command":
      return "_command_names -e";
    case "none":
      return " ";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
