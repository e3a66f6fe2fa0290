import type { CommandDescription, ProgramDescription, Values } from "./describe.ts";

/**
 * A completion script for bash, 3.2 and later.
 *
 * bash splits words at "=" and ":" (COMP_WORDBREAKS), so the script first joins them again, and takes off what stands
 * before the last break from its answers.
 */
export function bashCompletion(program: ProgramDescription): string {
  const { name } = program;
  const all = [program, ...program.commands];
  return `# ${name} completion for bash. Load it with: source <(${name} completion bash)

_${name}() {
  local raw=\${COMP_WORDS[COMP_CWORD]} words=() word last i command=${name} values= operands=
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]} last=$((\${#words[@]} - 1))
    if ((last > 0)) && [[ $word == [=:]* || \${words[last]} == *[=:] ]]; then
      words[last]+=$word
    else
      words+=("$word")
    fi
  done
  local current=\${words[\${#words[@]} - 1]}

  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ $command == ${name} && $word != -* ]]; then
      command=$word
    elif [[ $word == -- || $word != -* ]]; then
      [[ $word == -- ]] && ((i++))
      operands=yes
      break
    else
      _${name}_values "$command" "$word"
      if [[ $values ]]; then
        ((i++))
        ((i == \${#words[@]} - 1)) || values=
      fi
    fi
  done

  COMPREPLY=()
  if [[ $operands ]]; then
    _${name}_operands "$i"
  elif [[ $values ]]; then
    _${name}_reply "$current"
  elif [[ $current == --*=* ]]; then
    _${name}_values "$command" "\${current%%=*}"
    _${name}_reply "\${current#*=}"
  elif [[ $current == -* ]]; then
    case $command in
${all.map((command) => `      ${command.name}) values='words ${allFlags(command)}' ;;`).join("\n")}
    esac
    _${name}_reply "$current"
  else
    _${name}_operands "$i"
  fi
}

# Sets values to what an option takes, or to nothing.
_${name}_values() {
  values=
  case $1:$2 in
${all.flatMap(valueCases).join("\n")}
  esac
}

_${name}_operands() {
  values=
  case $command in
${all
  .filter(({ operands }) => operands)
  .map((command) => `    ${command.name}) values='${spell(command.operands)}' ;;`)
  .join("\n")}
  esac
  if [[ $values != command ]]; then
    (($1 < \${#words[@]} - 1)) || _${name}_reply "$current"
  elif (($1 == \${#words[@]} - 1)); then
    _${name}_reply "$current"
  else
    values=file
    _${name}_reply "$current"
  fi
}

# Offers what begins with $1.
_${name}_reply() {
  local candidates candidate before=\${1%"$raw"}
  [[ $raw == [=:] ]] && before=$1
  case $values in
    words*) candidates=$(compgen -W "\${values#words }" -- "$1") ;;
    directory) candidates=$(compgen -d -- "$1") ;;
    file) candidates=$(compgen -f -- "$1") ;;
    user) candidates=$(compgen -u -- "$1") ;;
    variable) candidates=$(compgen -e -- "$1") ;;
    command) candidates=$(compgen -c -- "$1"; compgen -d -- "$1") ;;
    *) return ;;
  esac
  [[ $values == directory || $values == file || $values == command ]] && compopt -o filenames 2>/dev/null
  [[ $candidates ]] || return
  while IFS= read -r candidate; do COMPREPLY+=("\${candidate#"$before"}"); done <<<"$candidates"
}

complete -F _${name} ${name}
`;
}

function valueCases(command: CommandDescription): string[] {
  return command.options.flatMap(({ flags, values }) =>
    values ? [`    ${flags.map((flag) => `${command.name}:${flag}`).join(" | ")}) values='${spell(values)}' ;;`] : [],
  );
}

function allFlags({ options }: CommandDescription): string {
  return options.flatMap(({ flags }) => flags).join(" ");
}

function spell(values: Values | undefined): string {
  if (!values) return "";
  return values.kind === "words" ? `words ${values.words.join(" ")}` : values.kind;
}
