import { setTimeout as delay } from "node:timers/promises";
import { isAnyprocError } from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { isTooLate } from "../connection/daemon-error.ts";
import { dockerError } from "../errors.ts";

// A container that the daemon is removing already takes some tens of milliseconds.
const pauseMs = 20;
const attempts = 500;

/** Stops and removes a container with its anonymous volumes; one that is gone, or just going, is fine. */
export async function removeContainer(connection: DockerConnection, id: string): Promise<void> {
  try {
    await connection.request(id, (docker) => docker.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    if (!isAnyprocError(error) || !isTooLate(error)) throw error;
  }
}

/** Ids of the containers with this label, whatever their state. */
export async function containersWith(connection: DockerConnection, label: string): Promise<string[]> {
  const found = await connection.request(connection.name, (docker) =>
    docker.listContainers({ all: true, filters: { label: [label] } }),
  );
  return found.map(({ Id }) => Id);
}

/**
 * Removes the containers with a label, and resolves when the daemon has none any more.
 *
 * @throws ANYPROC_DOCKER_REFUSED for those that stay; what DockerConnection.request() throws
 */
export async function removeAllWith(connection: DockerConnection, label: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const ids = await containersWith(connection, label);
    if (ids.length === 0) return;
    if (attempt === attempts) {
      throw dockerError(
        "ANYPROC_DOCKER_REFUSED",
        `${connection.name}: it has not removed ${ids.join(", ")}: its log says why; remove them with \`docker rm --force\``,
      );
    }
    await Promise.all(ids.map((id) => removeContainer(connection, id)));
    await delay(pauseMs);
  }
}
