import type { CommandDescription, OptionDescription, ProgramDescription, Values } from "./describe.ts";

/** A completion script for fish 3 and later: complete(1) of fish. */
export function fishCompletion(program: ProgramDescription): string {
  const { name, commands } = program;
  const takesValue = [program, ...commands].flatMap((command) =>
    command.options.flatMap(({ flags, values }) => (values ? flags.map((flag) => `${command.name}:${flag}`) : [])),
  );
  return `# ${name} completion for fish. Put it into ~/.config/fish/completions/${name}.fish

# Prints the subcommand, and how many words stand before its first operand if that has begun.
function __${name}_position
    set -l command ${name}
    set -l count 1
    set -l value
    for word in (commandline -opc)[2..-1]
        set count (math $count + 1)
        if set -q value[1]
            set value
        else if test "$word" = --
            echo $command $count
            return
        else if string match -q -- '-*' $word
            contains -- $command:$word ${takesValue.join(" ")}
            and set value yes
        else if test $command = ${name}
            set command $word
        else
            echo $command (math $count - 1)
            return
        end
    end
    echo $command
end

# Succeeds while options and the first operand of $argv[1] can be given.
function __${name}_at
    test (__${name}_position) = $argv[1]
end

function __${name}_takes_command
    set -l position (string split ' ' (__${name}_position))
    contains -- $position[1] ${commandTakers(commands).join(" ")}
    or return
    # Before its first operand, a word that begins with "-" is an option.
    set -q position[2]
    or not string match -q -- '-*' (commandline -ct)
end

# Completes the words after the options as a command line of their own.
function __${name}_command
    set -l count (string split ' ' (__${name}_position))[2]
    set -q count[1]
    or set count (count (commandline -opc))
    set -l words (commandline -opc) (commandline -ct)
    complete "-C"(string join ' ' -- (string escape -- $words[(math $count + 1)..-1]))
end

complete -c ${name} -f
${commands.map((command) => `complete -c ${name} -n '__${name}_at ${name}' -a ${command.name} -d ${quote(command.description)}`).join("\n")}
complete -c ${name} -n __${name}_takes_command -x -a '(__${name}_command)'
${[program, ...commands].flatMap((command) => command.options.map((option) => spell(program, command, option))).join("\n")}
${commands.flatMap((command) => spellOperands(program, command)).join("\n")}
`;
}

function commandTakers(commands: readonly CommandDescription[]): string[] {
  return commands.filter(({ operands }) => operands?.kind === "command").map(({ name }) => name);
}

function spell(
  { name }: ProgramDescription,
  command: CommandDescription,
  { flags, description, values }: OptionDescription,
): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [
    `complete -c ${name} -n '__${name}_at ${command.name}'`,
    ...names,
    ...(values ? [action(values)] : []),
    `-d ${quote(description)}`,
  ].join(" ");
}

function spellOperands({ name }: ProgramDescription, { name: command, operands }: CommandDescription): string[] {
  if (!operands || operands.kind === "command") return [];
  return [`complete -c ${name} -n '__${name}_at ${command}' ${action(operands)}`];
}

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return `-x -a ${quote(values.words.join(" "))}`;
    case "directory":
      return "-x -a '(__fish_complete_directories)'";
    case "file":
      return "-r -F";
    case "user":
      return "-x -a '(__fish_complete_users)'";
    case "variable":
      return "-x -a '(set -xn)'";
    default:
      return "-x";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
