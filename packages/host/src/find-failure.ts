import type { Command } from "@anyproc/core";
import {
  isMissingFromPath,
  type LocalProgram,
  notExecutable,
  notFound,
  type StartFailure,
} from "@anyproc/core/child-process";
import { foreignProgram } from "./foreign-program.ts";

/** Why a program cannot be started, where those that start it would not say so, or not as clearly. */
export function findFailure(program: LocalProgram, command: Command): StartFailure | undefined {
  if (process.platform === "win32") return undefined;
  if (command.pty && isMissingFromPath(program)) return notFound(program.name);
  const problem = foreignProgram(program);
  return problem === undefined ? undefined : notExecutable(program.name, problem);
}
