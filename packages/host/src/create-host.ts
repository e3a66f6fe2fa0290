import { type Command, defineEnvironment, type Environment, type RunningProgram } from "@anyproc/core";
import { failedProgram, startChild, startPty } from "@anyproc/core/child-process";
import { hostCapabilities } from "./capabilities.ts";
import { createFileSystem } from "./file-system.ts";
import { findFailure } from "./find-failure.ts";
import { loadPty } from "./load-pty.ts";
import { setNiceness } from "./niceness.ts";
import { checkOptions, type HostOptions } from "./options.ts";
import { toProgram } from "./program.ts";
import { onTerminal } from "./terminal.ts";

export type { HostOptions } from "./options.ts";

/**
 * This machine as an environment: programs run as ordinary child processes.
 *
 * @throws ANYPROC_INVALID_OPTION, ANYPROC_ROOTFS_NOT_FOUND, ANYPROC_UNSUPPORTED
 * @example
 * const host = createHost({ cwd: "/srv/app" });
 * const { stdout } = await exec(host, ["git", "status", "--short"]);
 */
export function createHost(options: HostOptions = {}): Environment {
  const settings = checkOptions(options);
  const { niceness } = settings;

  async function start(command: Command): Promise<RunningProgram> {
    const program = toProgram(command, settings);
    const failure = findFailure(program, command);
    if (failure) return failedProgram(failure, command.pty ? "stdout" : "stderr");
    const running = command.pty ? await startPty(onTerminal(program, command), loadPty) : await startChild(program);
    if (niceness !== undefined) await setNiceness(running, niceness, program.name);
    return running;
  }

  return defineEnvironment({
    name: settings.name,
    capabilities: hostCapabilities(),
    start,
    fs: createFileSystem(settings.rootfs),
  });
}
