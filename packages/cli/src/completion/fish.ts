import type { CommandDescription, OptionDescription, ProgramDescription, Values } from "./describe.ts";

/** A completion script for fish 3 and later: see complete(1) of fish. */
export function fishCompletion(program: ProgramDescription): string {
  const { name, commands } = program;
  const takesValue = [program, ...commands].flatMap((command) =>
    command.options.flatMap(({ flags, values }) => (values ? flags.map((flag) => `${command.name}:${flag}`) : [])),
  );
  return `# ${name} completion for fish. Put it into ~/.config/fish/completions/${name}.fish

# Succeeds while the options of $argv[1] can be given: the subcommand is there, its first operand is not.
function __${name}_at
    set -l command ${name}
    set -l skip
    for word in (commandline -opc)[2..]
        if set -q skip[1]
            set skip
        else if string match -q -- '-*' $word
            test $word = -- ; and return 1
            contains -- $command:$word ${takesValue.join(" ")}; and set skip yes
        else if test $command = ${name}
            set command $word
        else
            return 1
        end
    end
    test $command = $argv[1]
end

# The words from the first operand of "run" on, completed as a command line of their own.
function __${name}_operands
    set -l words (commandline -opc)
    set -l command ${name}
    set -l skip
    set -l index 1
    for word in $words[2..]
        set index (math $index + 1)
        if set -q skip[1]
            set skip
        else if test $word = --
            set index (math $index + 1)
            break
        else if string match -q -- '-*' $word
            contains -- $command:$word ${takesValue.join(" ")}; and set skip yes
        else if test $command = ${name}
            set command $word
        else
            break
        end
        set index $index
    end
end

complete -c ${name} -f
${program.options.map((option) => spell(program, program, option)).join("\n")}
${commands.map((command) => `complete -c ${name} -n '__${name}_at ${name}' -a ${command.name} -d ${quote(command.description)}`).join("\n")}
${commands.flatMap((command) => command.options.map((option) => spell(program, command, option))).join("\n")}
${commands.flatMap((command) => spellOperands(program, command)).join("\n")}
`;
}

function spell(program: ProgramDescription, command: CommandDescription, { flags, description, values }: OptionDescription): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const value = values ? ` -x${action(values)}` : "";
  return `complete -c ${program.name} -n '__${program.name}_at ${command.name}' ${names}${value} -d ${quote(description)}`;
}

function spellOperands(program: ProgramDescription, command: CommandDescription): string[] {
  if (!command.operands) return [];
  const values = command.operands;
  return [`complete -c ${program.name} -n '__fish_seen_subcommand_from ${command.name}'${action(values)}`];
}

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return ` -a ${quote(values.words.join(" "))}`;
    case "directory":
      return " -a '(__fish_complete_directories)'";
    case "file":
      return " -a '(__fish_complete_path)'";
    case "user":
      return " -a '(__fish_complete_users)'";
    case "variable":
      return " -a '(set -xn)'";
    case "command":
      return "";
    case "none":
      return "";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
