import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { statusOf } from "../connection/daemon-error.ts";
import { dockerError } from "../errors.ts";
import { detachKeys } from "../streams/detach-keys.ts";
import type { ContainerTarget } from "./container-target.ts";

/** A program that was started in a container, with its streams. */
export interface OpenExec {
  readonly exec: Docker.Exec;
  readonly socket: Duplex;
}

/** Starts a program in a running container. @throws ANYPROC_CONTAINER_NOT_RUNNING and what request() throws */
export async function openExec(target: ContainerTarget, options: Docker.ExecCreateOptions): Promise<OpenExec> {
  const { connection, id, name } = target;
  try {
    const exec = await connection.request(name, (docker) =>
      docker.getContainer(id).exec({ AttachStdout: true, AttachStderr: true, DetachKeys: detachKeys, ...options }),
    );
    const socket = await connection.openDuplex(name, {
      path: `/exec/${exec.id}/start`,
      body: { Detach: false, Tty: options.Tty ?? false },
    });
    return { exec, socket };
  } catch (error) {
    if (statusOf((error as Error).cause) !== 409) throw error;
    throw dockerError(
      "ANYPROC_CONTAINER_NOT_RUNNING",
      `${name}: the container has stopped, or is paused: start it again, or \`docker unpause\` it`,
      error,
    );
  }
}
