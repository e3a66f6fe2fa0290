import type { Environment } from "@anyproc/core";
import type { DockerEnvironment } from "@anyproc/docker";
import { UsageError } from "../usage-error.ts";

/** The words of `run` with what the image says: its entrypoint, and its own command where there are none. */
export function completeCommand(environment: Environment, argv: readonly string[]): readonly string[] {
  if (!("imageCommand" in environment)) return argv;
  const command = (environment as DockerEnvironment).imageCommand(argv);
  return checkImageCommand(environment.name.replace("docker:", ""), command);
}

/** The command, when there is one. @throws UsageError */
export function checkImageCommand(image: string, command: readonly string[]): readonly string[] {
  if (command.length > 0) return command;
  throw new UsageError(
    `run: ${image} has no command of its own: give one, as in \`anyproc run --image ${image} -- sh\``,
  );
}
