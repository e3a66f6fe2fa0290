import { type Command, quoteForShell } from "@anyproc/core";
import { terminalSizeScript, unsetScript } from "../containers/program.ts";

/**
 * A POSIX shell script that makes everything ready, says its process id, and becomes the program in `$0` and `$@`. A
 * daemon tells nobody which process it started.
 *
 * @param headerStart how the line with the process id begins: see CommandHeader
 * @param removed variables that the program must not have
 */
export function execScript(
  command: Command,
  cwd: string | undefined,
  headerStart: string,
  removed: readonly string[],
): string {
  const say = (what: string): string => `printf '\\036${headerStart} %s\\n' ${what}${command.pty ? "" : " >&2"}`;
  return [
    ...(cwd === undefined ? [] : [`cd ${quoteForShell(cwd)} 2>/dev/null || { ${say("cwd")}; exit 1; }`]),
    ...(command.pty ? [terminalSizeScript(command.pty)] : []),
    ...unsetScript(removed),
    say('"$$"'),
    'exec "$0" "$@"',
  ].join("; ");
}
