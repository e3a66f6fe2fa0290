import { posix } from "node:path";
import type { Command, RunningProgram } from "@anyproc/core";
import type Docker from "dockerode";
import type { DockerConnection } from "../connection/connect.ts";
import { type CommandSettings, type ContainerTemplate, containerConfig } from "./container-config.ts";
import { removeContainer } from "./removal.ts";
import { runContainer } from "./run-container.ts";
import { cwdNotFound, failedStart } from "./start-failure.ts";
import { hasDirectory } from "./working-directory.ts";

/** What every container of one environment is made from. */
export interface ContainerSource extends CommandSettings {
  readonly connection: DockerConnection;
  readonly template: ContainerTemplate;
  /** More networks than the template's. */
  readonly networks: readonly string[];
  readonly autoRemove: boolean;
  /** Called with each container before its program runs. */
  readonly onCreated: (command: Command, container: Docker.Container) => void;
}

/**
 * Runs a command as the process of a new container.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED, ANYPROC_CONTAINER_EXISTS and what
 * DockerConnection.request() throws
 */
export async function startContainer(source: ContainerSource, command: Command): Promise<RunningProgram> {
  const { connection, image, template } = source;
  const name = template.name ?? template.Image ?? "";
  const config = containerConfig(template, command, source);
  const home = image.workdir || "/";
  const cwd = config.WorkingDir === undefined ? home : posix.resolve(home, config.WorkingDir);
  let container: Docker.Container | undefined;
  try {
    container = await connection.request(name, (docker) => docker.createContainer({ ...config, WorkingDir: cwd }));
    if (cwd !== "/" && cwd !== home) await checkDirectory(connection, container, cwd, name);
    await joinNetworks(connection, container, source.networks);
    source.onCreated(command, container);
    return await runContainer(source, command, container);
  } catch (error) {
    if (container) await removeContainer(connection, container.id);
    return failedStart(name, command, cwd, error);
  }
}

async function checkDirectory(
  connection: DockerConnection,
  container: Docker.Container,
  path: string,
  name: string,
): Promise<void> {
  if (!(await connection.request(name, () => hasDirectory(container, path)))) throw cwdNotFound(name, path);
}

async function joinNetworks(
  connection: DockerConnection,
  container: Docker.Container,
  networks: readonly string[],
): Promise<void> {
  for (const network of networks) {
    await connection.request(`network ${network}`, (docker) =>
      docker.getNetwork(network).connect({ Container: container.id }),
    );
  }
}
