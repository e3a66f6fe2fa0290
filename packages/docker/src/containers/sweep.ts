import type { DockerConnection } from "../connection/connect.ts";
import { clientLabel, isGone } from "./owner.ts";
import { removeContainer } from "./removal.ts";

/** A container whose program nobody waits for any more. */
export interface LeftContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
}

/** Containers of this machine's clients that ended without removing them: killed, or out of reach of the daemon. */
export async function leftContainers(connection: DockerConnection): Promise<LeftContainer[]> {
  const found = await connection.request(connection.name, (docker) =>
    docker.listContainers({ all: true, filters: { label: [clientLabel] } }),
  );
  return found
    .filter(({ Labels }) => isGone(Labels[clientLabel] ?? ""))
    .map(({ Id, Names, Image, State }) => ({
      id: Id,
      name: (Names[0] ?? "").replace(/^\//, ""),
      image: Image,
      running: State === "running",
    }));
}

/** Stops and removes them. Containers of clients that still run, or that run elsewhere, stay. */
export async function sweepContainers(connection: DockerConnection): Promise<LeftContainer[]> {
  const left = await leftContainers(connection);
  await Promise.all(left.map(({ id }) => removeContainer(connection, id)));
  return left;
}
