import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { readTar } from "@anyproc/core/tar";
import type { DockerConnection } from "../connection/connect.ts";
import { isRecord } from "../connection/docker-config.ts";
import { dockerError, reasonOf } from "../errors.ts";

/** A container, and the daemon that has it. */
export interface ContainerPlace {
  readonly connection: DockerConnection;
  /** Its name or id. */
  readonly container: string;
}

/** A tar stream out of a container. */
export interface OpenArchive {
  readonly tar: Readable;
  /** Where a symlink leads in the end, as seen from inside; undefined for what is none. */
  readonly linkTarget: string | undefined;
}

/** Docker Engine API, "Get an archive of a filesystem resource in a container". */
export async function getArchive(
  { connection, container }: ContainerPlace,
  path: string,
  signal?: AbortSignal,
): Promise<OpenArchive> {
  const answer = (await connection.request(container, (docker) =>
    docker.getContainer(container).getArchive({ path, ...(signal && { abortSignal: signal }) }),
  )) as IncomingMessage;
  return { tar: answer, linkTarget: linkTarget(answer.headers["x-docker-container-path-stat"]) };
}

/** Docker Engine API, "Extract an archive of files or folders to a directory in a container". */
export async function putArchive(
  { connection, container }: ContainerPlace,
  directory: string,
  tar: Readable | Buffer,
  signal?: AbortSignal,
): Promise<void> {
  await connection.request(container, (docker) =>
    sending(tar, signal, (file, abortSignal) =>
      docker.getContainer(container).putArchive(file, { path: directory, noOverwriteDirNonDir: "true", abortSignal }),
    ),
  );
}

/**
 * Sends a stream as the body of a request. dockerode does not notice when it breaks off: then the request is aborted,
 * and the stream's own failure is what is told.
 */
export async function sending<Answer>(
  body: Readable | Buffer,
  signal: AbortSignal | undefined,
  send: (body: NodeJS.ReadableStream | Buffer, signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const broken = new AbortController();
  let failure: unknown;
  const onError = (error: Error): void => {
    failure = error;
    broken.abort(error);
  };
  if (!Buffer.isBuffer(body)) body.once("error", onError);
  try {
    return await send(body, signal ? AbortSignal.any([signal, broken.signal]) : broken.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw failure ?? error;
  } finally {
    if (!Buffer.isBuffer(body)) {
      body.off("error", onError);
      // The daemon may have refused before it had read all.
      body.on("error", () => {}).destroy();
    }
  }
}

/** The entries of an archive out of a container. @throws ANYPROC_CONNECTION_LOST when the daemon goes meanwhile */
export function archiveEntries(place: ContainerPlace, tar: Readable): ReturnType<typeof readTar> {
  return readTar(unlessLost(place, tar));
}

async function* unlessLost({ connection, container }: ContainerPlace, tar: Readable): AsyncGenerator<Buffer> {
  try {
    yield* tar as AsyncIterable<Buffer>;
  } catch (error) {
    throw dockerError(
      "ANYPROC_CONNECTION_LOST",
      `${container}: ${connection.name} went away while it was read: ${reasonOf(error)}`,
      error,
    );
  }
}

// Go's io/fs.ModeSymlink: the header has modes in Go's own form.
const symlinkBit = 2 ** 27;

/** Podman has a target for everything. */
function linkTarget(header: string | readonly string[] | undefined): string | undefined {
  const text = Buffer.from(String(header ?? ""), "base64").toString("utf8");
  const stat: unknown = text === "" ? {} : JSON.parse(text);
  if (!isRecord(stat)) return undefined;
  const { mode, linkTarget: target } = stat;
  const isSymlink = typeof mode === "number" && Math.floor(mode / symlinkBit) % 2 === 1;
  return isSymlink && typeof target === "string" ? target : undefined;
}
