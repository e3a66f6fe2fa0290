import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { type ProgramExit, signalName } from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { isRecord } from "../connection/docker-config.ts";
import { dockerError } from "../errors.ts";

/** How a container ended, from the answer to a wait that was sent before its start. @throws ANYPROC_CONNECTION_LOST */
export async function containerExit(connection: DockerConnection, answer: IncomingMessage): Promise<ProgramExit> {
  const code = exitStatus(await text(answer).catch(() => ""));
  if (code === undefined) throw connectionLost(connection);
  return programExit(code);
}

/**
 * A signal's death is a code above 128 here, as it is in a shell: a daemon reports nothing else. What a program exits
 * with itself, `exit 137`, reads the same.
 */
export function programExit(code: number): ProgramExit {
  const signal = code > 128 ? signalName(code - 128) : undefined;
  return signal ? { code: null, signal } : { code, signal: null };
}

export function connectionLost(connection: DockerConnection): Error {
  return dockerError(
    "ANYPROC_CONNECTION_LOST",
    `${connection.name}: the connection was lost, so nobody can tell how the program ends: it may go on there; connect ` +
      "again, and remove what was left with sweepContainers()",
  );
}

function exitStatus(answer: string): number | undefined {
  try {
    const value: unknown = JSON.parse(answer);
    const status = isRecord(value) ? value["StatusCode"] : undefined;
    return typeof status === "number" && status >= 0 ? status : undefined;
  } catch {
    return undefined;
  }
}
