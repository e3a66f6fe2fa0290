import { defineEnvironment, type Environment, type FileSystem, type Process } from "@anyproc/core";
import { borrowOrConnect, type DockerConnection } from "./connection/connect.ts";
import { type ContainerHandle, containerHandle } from "./containers/addresses.ts";
import { attachContainer } from "./exec/attach.ts";
import { execCapabilities } from "./exec/capabilities.ts";
import { findContainer } from "./exec/container-target.ts";
import type { ContainerOptions } from "./exec/options.ts";
import { startExec } from "./exec/start-exec.ts";
import { containerFiles } from "./files/container-files.ts";

/** A running container, as a place for more programs. */
export interface ContainerEnvironment extends Environment {
  readonly connection: DockerConnection;
  readonly container: ContainerHandle;
  readonly fs: FileSystem;
  /**
   * The container's own program, with its streams from now on. Closing it only lets go of it.
   *
   * @throws ANYPROC_CONTAINER_NOT_RUNNING, ANYPROC_CONTAINER_NOT_FOUND
   */
  attach(): Promise<Process>;
}

/**
 * An environment that runs commands in a container which is there already, as `docker exec` does. Closing it ends these
 * commands and nothing else.
 *
 * @param container name or id
 * @example
 * const web = await enterContainer("web");
 * const { stdout } = await exec(web, ["nginx", "-T"]);
 * @throws ANYPROC_CONTAINER_NOT_FOUND, ANYPROC_CONTAINER_NOT_RUNNING, ANYPROC_DOCKER_UNREACHABLE,
 * ANYPROC_DOCKER_PERMISSION_DENIED, ANYPROC_DOCKER_REFUSED, ANYPROC_INVALID_OPTION; the signal's reason
 */
export async function enterContainer(container: string, options: ContainerOptions = {}): Promise<ContainerEnvironment> {
  const { connection, release } = await borrowOrConnect(options.connection, options.signal);
  try {
    const target = await findContainer(connection, container);
    const fs = containerFiles({ connection, container: target.id });
    const environment = defineEnvironment({
      name: `docker:${target.name}`,
      capabilities: { ...execCapabilities, files: true },
      fs,
      start: (command) => startExec(target, command, options),
      release,
    });
    return {
      ...environment,
      fs,
      connection,
      container: containerHandle(connection, target.id),
      attach: () => attachContainer(target),
    };
  } catch (error) {
    await release();
    throw error;
  }
}
