import { type Command, Option } from "commander";

/** Adds the options that every subcommand takes, before its name or after it. */
export function addGlobalOptions(command: Command): void {
  command
    .optionsGroup("Global options:")
    .addOption(new Option("--json", "print one JSON document on stdout"))
    .addOption(new Option("--quiet", "print nothing but errors").conflicts("verbose"))
    .addOption(new Option("--verbose", "say on stderr what is done"));
}
