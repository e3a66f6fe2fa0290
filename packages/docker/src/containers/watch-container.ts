import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { DockerConnection } from "../connection/connect.ts";
import { detachKeys } from "../streams/detach-keys.ts";

/** A container's streams, and the answer that will say how it ended. */
export interface WatchedContainer {
  readonly socket: Duplex;
  readonly answer: IncomingMessage;
  /** Lets go of both; the container goes on. */
  readonly abandon: () => void;
}

export interface WatchOptions {
  readonly hasInput: boolean;
  /** When the answer comes: at the next exit, or when the container is gone after that. */
  readonly condition: "next-exit" | "removed";
}

/** Attaches to a container and waits for its end; resolves when the daemon has taken note of both. */
export async function watchContainer(
  connection: DockerConnection,
  id: string,
  { hasInput, condition }: WatchOptions,
): Promise<WatchedContainer> {
  const aborter = new AbortController();
  const wanted = new URLSearchParams({
    stream: "1",
    stdout: "1",
    stderr: "1",
    ...(hasInput && { stdin: "1" }),
    detachKeys,
  });
  const attaching = connection.openDuplex(id, { path: `/containers/${id}/attach?${wanted.toString()}` });
  const waiting = connection.openResponse(id, {
    path: `/containers/${id}/wait?condition=${condition}`,
    signal: aborter.signal,
  });
  const abandon = (): void => {
    attaching.then(
      (socket) => socket.destroy(),
      () => {},
    );
    waiting.then(
      (answer) => answer.on("error", () => {}),
      () => {},
    );
    aborter.abort();
  };
  try {
    const [socket, answer] = await Promise.all([attaching, waiting]);
    return { socket, answer, abandon };
  } catch (error) {
    abandon();
    throw error;
  }
}
