import { type Command, Option } from "commander";
import { collect } from "./process-options.ts";

/** Adds the options about how to enter a machine over SSH; ~/.ssh/config says what they leave open. */
export function addSshOptions(command: Command): Command {
  return command
    .addOption(new Option("--identity <file>", "enter by this private key").argParser(collect))
    .addOption(new Option("--password-env <var>", "enter by the password in this variable"))
    .addOption(new Option("--known-hosts <file>", "the keys of known hosts (default: ~/.ssh/known_hosts)"))
    .addOption(new Option("--accept-new", "add the key of a host that is not known yet; a changed key is refused"))
    .addOption(
      new Option("--jump <[user@]host[:port]>", "go through this machine; again for the next one").argParser(collect),
    );
}
