import { type Command, Option } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./process-options.ts";

/** The options that say how a registry is reached and where images are kept. */
export interface ImageOptions {
  readonly platform?: string;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly plainHttp?: boolean;
  readonly ca?: readonly string[];
  readonly offline?: boolean;
  readonly dataDir?: string;
}

/** Adds the options of ImageOptions. */
export function addImageOptions(command: Command): Command {
  return command
    .addOption(new Option("--platform <os/arch[/variant]>", "the platform to take (default: this machine's)"))
    .addOption(new Option("--username <name>", "log in as this user (default: as docker's config says)"))
    .addOption(new Option("--password-stdin", "read the password for --username from stdin"))
    .addOption(new Option("--plain-http", "speak http, not https"))
    .addOption(new Option("--ca <file>", "trust the certificates in this file too").argParser(collect))
    .addOption(new Option("--offline", "use what was pulled before, and no network"))
    .addOption(new Option("--data-dir <dir>", "where images are kept (default: $ANYPROC_HOME)"));
}

/** For options that count. */
export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new UsageError(`${option} ${text}: give a whole number`);
  };
}
