import { type Command, Option } from "commander";
import { UsageError } from "../usage-error.ts";

/** The options that every subcommand which runs a program has in common. */
export interface ProcessOptions {
  /** `NAME=VALUE`, or `NAME` for the value it has here. */
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly interactive?: boolean;
  readonly tty?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  /** Seconds. */
  readonly killAfter?: number;
}

/** Adds the options of ProcessOptions. */
export function addProcessOptions(command: Command): Command {
  return command
    .addOption(new Option("-e, --env <K=V>", "set a variable; K alone passes the one from here").argParser(collect))
    .addOption(new Option("--env-file <file>", "set the variables of a file of K=V lines").argParser(collect))
    .addOption(new Option("-w, --workdir <dir>", "working directory, in the environment's own terms"))
    .addOption(new Option("-u, --user <uid[:gid]|name>", "who runs the program"))
    .addOption(new Option("-i, --interactive", "connect stdin (it always is; accepted for docker's sake)"))
    .addOption(new Option("-t, --tty", "run on a terminal of its own"))
    .addOption(
      new Option("--timeout <seconds>", "end the program after this long; exit status 124").argParser(
        seconds("--timeout"),
      ),
    )
    .addOption(
      new Option(
        "--kill-after <seconds>",
        "SIGKILL when it is not gone this long after SIGTERM (default: 5)",
      ).argParser(seconds("--kill-after")),
    );
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

function seconds(option: string): (text: string) => number {
  // setTimeout's own limit, 2^31-1 milliseconds: a longer delay would fire at once.
  const most = 2_147_483;
  return (text) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (value <= most) return value;
    throw new UsageError(`${option} ${text}: give seconds from 0 to ${most}, such as 30 or 0.5`);
  };
}
