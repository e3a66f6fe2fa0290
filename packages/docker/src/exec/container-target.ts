import { posix } from "node:path";
import type { DockerConnection } from "../connection/connect.ts";
import { statusOf } from "../connection/daemon-error.ts";
import { variableNames } from "../containers/program.ts";
import { dockerError } from "../errors.ts";

/** A running container, and what programs in it start from. */
export interface ContainerTarget {
  readonly connection: DockerConnection;
  readonly id: string;
  /** Without the slash that the daemon puts before it. */
  readonly name: string;
  /** Names of its variables. */
  readonly variables: readonly string[];
  readonly workdir: string;
  /** The first process and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly hasTerminal: boolean;
  readonly hasInit: boolean;
  /** It has a /bin/sh: without one programs can be run, but neither signalled nor ended. */
  readonly hasShell: boolean;
}

/**
 * Looks a container up by name or id.
 *
 * @throws ANYPROC_CONTAINER_NOT_FOUND, ANYPROC_CONTAINER_NOT_RUNNING and what DockerConnection.request() throws
 */
export async function findContainer(connection: DockerConnection, name: string): Promise<ContainerTarget> {
  const { Id, Name, State, Config, Path, Args, HostConfig } = await connection.request(name, (docker) =>
    docker.getContainer(name).inspect(),
  );
  if (!State.Running) {
    throw dockerError(
      "ANYPROC_CONTAINER_NOT_RUNNING",
      `${name}: the container is not running (${State.Status}): start it, for instance with \`docker start ${name}\``,
    );
  }
  return {
    connection,
    id: Id,
    name: Name.replace(/^\//, ""),
    variables: variableNames(Config.Env ?? []),
    workdir: posix.resolve("/", Config.WorkingDir ?? ""),
    argv: [Path, ...Args],
    hasTerminal: Config.Tty,
    hasInit: HostConfig.Init ?? false,
    hasShell: await hasFile(connection, Id, "/bin/sh"),
  };
}

async function hasFile(connection: DockerConnection, id: string, path: string): Promise<boolean> {
  try {
    const answer = await connection.request(id, (docker) => docker.getContainer(id).infoArchive({ path }));
    (answer as NodeJS.ReadableStream).resume();
    return true;
  } catch (error) {
    if (statusOf((error as Error).cause) === 404) return false;
    throw error;
  }
}
