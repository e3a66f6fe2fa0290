import { defineEnvironment, type Environment, mergeEnv, programName } from "@anyproc/core";
import { startChild } from "@anyproc/core/child-process";

/** The least environment that runs real programs: this machine, nothing optional. */
export function localEnvironment(): Environment {
  return defineEnvironment({
    name: "local",
    capabilities: {
      pty: false,
      inherit: false,
      signals: "all",
      user: false,
      files: false,
      binaryArguments: false,
      pid: "program",
      tree: "found",
      orphans: "live",
    },
    start: (command) => {
      const [file = "", ...args] = command.argv.map(String);
      return startChild({
        name: programName(command),
        file,
        args,
        cwd: command.cwd,
        env: mergeEnv(process.env, command),
        stdin: command.stdin,
        stdout: command.stdout,
        stderr: command.stderr,
      });
    },
  });
}

/** argv of a Node program given as source text: what a fixture needs where no shell can be assumed. */
export function nodeProgram(source: string): [string, string, string] {
  return [process.execPath, "-e", source];
}
