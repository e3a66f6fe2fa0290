import { mergeEnv } from "@anyproc/core";
import type { RunCommand } from "./runner.ts";

/** True for a script that Node.js runs, by its first line. */
export function isNodeScript(header: Buffer): boolean {
  return /^#![ \t]*\S*\/(env[ \t]+(-S[ \t]+)?(\S*\/)?)?node(js)?([ \t\r\n]|$)/.test(header.toString());
}

/**
 * The command for a Node.js script in memory. Node.js asks for the real path of its main module, and a memory file has
 * none; the flag (Node.js, "Command-line API") makes it take the path as it is.
 */
export function nodeScriptCommand(command: RunCommand): RunCommand {
  const own = mergeEnv(process.env, command)["NODE_OPTIONS"];
  const options = [...(own ? [own] : []), "--preserve-symlinks-main"].join(" ");
  return { ...command, env: { ...command.env, NODE_OPTIONS: options } };
}
