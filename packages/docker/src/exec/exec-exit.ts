import { setTimeout as delay } from "node:timers/promises";
import type { ProgramExit } from "@anyproc/core";
import type Docker from "dockerode";
import { statusOf } from "../connection/daemon-error.ts";
import { connectionLost, programExit } from "../containers/container-exit.ts";
import type { ProgramStreams } from "../streams/program-streams.ts";
import type { ContainerTarget } from "./container-target.ts";

const longestPauseMs = 200;

/**
 * How a program in a container ended. The daemon has no way to wait for it: the end of its streams says when to ask,
 * and a program that closed them is asked for again and again.
 *
 * @throws ANYPROC_CONNECTION_LOST
 */
export async function execExit(
  target: ContainerTarget,
  exec: Docker.Exec,
  streams: ProgramStreams,
): Promise<ProgramExit> {
  const { connection, id } = target;
  if ((await streams.ended) === "cut") throw connectionLost(connection);
  for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const state = await connection
      .request(id, () => exec.inspect())
      .catch((error: unknown) => {
        // Gone with its container.
        if (statusOf((error as Error).cause) !== 404) throw connectionLost(connection);
        return { Running: false, ExitCode: 137 };
      });
    if (!state.Running && state.ExitCode !== null) return programExit(state.ExitCode);
    await delay(pauseMs);
  }
}
