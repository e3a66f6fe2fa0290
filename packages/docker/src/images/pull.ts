import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { isAnyprocError } from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { refusalText } from "../connection/daemon-error.ts";
import { isRecord } from "../connection/docker-config.ts";
import { dockerError } from "../errors.ts";
import { authConfig, findCredentials } from "./credentials.ts";
import type { PullOptions, PullProgress } from "./options.ts";
import { parseReference } from "./reference.ts";

/**
 * Lets the daemon pull an image.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND, ANYPROC_PULL_FAILED, ANYPROC_CREDENTIALS_UNREADABLE; what
 * DockerConnection.request() throws; the signal's reason
 */
export async function pullImage(connection: DockerConnection, image: string, options: PullOptions): Promise<void> {
  const reference = parseReference(image);
  if (!reference) throw notFound(image, "an id cannot be pulled: name the image");
  const { platform, signal, onProgress } = options;
  const credentials = options.credentials ?? (await findCredentials(reference.registry));
  const request = {
    fromImage: reference.repository,
    tag: reference.version,
    ...(platform !== undefined && { platform }),
    ...(signal && { abortSignal: signal }),
  };
  const auth = credentials && authConfig(credentials, reference.registry);
  const answer = (await connection
    .request(image, (docker) => docker.createImage(auth, request))
    .catch((error: unknown) => {
      signal?.throwIfAborted();
      throw isAnyprocError(error, "ANYPROC_DOCKER_REFUSED") ? pullFailure(image, refusalText(error.cause)) : error;
    })) as Readable;
  const abort = (): void => void answer.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  // An answer that breaks off is told from a complete one below.
  answer.on("error", () => {});
  let isComplete = false;
  try {
    answer.once("end", () => {
      isComplete = true;
    });
    for await (const line of createInterface({ input: answer })) report(image, line, onProgress);
  } finally {
    signal?.removeEventListener("abort", abort);
    answer.destroy();
  }
  signal?.throwIfAborted();
  if (!isComplete) {
    throw dockerError("ANYPROC_CONNECTION_LOST", `${image}: ${connection.name} went away during the pull: pull again`);
  }
  onProgress?.({ phase: "done", reference: image });
}

/** One line of the daemon's report: Docker Engine API, "Create an image". */
function report(image: string, line: string, onProgress: PullOptions["onProgress"]): void {
  const event: unknown = line.trim() === "" ? undefined : JSON.parse(line);
  if (!isRecord(event)) return;
  if (typeof event["error"] === "string") throw pullFailure(image, event["error"]);
  const progress = onProgress && progressOf(event);
  if (progress) onProgress(progress);
}

function progressOf({ id, status, progressDetail }: Readonly<Record<string, unknown>>): PullProgress | undefined {
  if (typeof id !== "string" || typeof status !== "string") return undefined;
  if (status === "Already exists") return { phase: "exists", layer: id };
  if (status === "Pull complete") return { phase: "complete", layer: id };
  const phase = status === "Downloading" ? "download" : status === "Extracting" ? "unpack" : undefined;
  const { current, total } = isRecord(progressDetail) ? progressDetail : {};
  if (!phase || typeof current !== "number") return undefined;
  return { phase, layer: id, bytes: current, totalBytes: typeof total === "number" ? total : current };
}

function pullFailure(image: string, text: string): Error {
  if (/manifest unknown|not found|no matching manifest|does not exist/i.test(text)) return notFound(image, text);
  const remedy = /unauthorized|denied|no basic auth/i.test(text)
    ? "log in (docker login), or pass credentials"
    : "check the registry, and that the daemon's machine reaches it";
  return dockerError("ANYPROC_PULL_FAILED", `${image}: the daemon could not pull it: ${text}: ${remedy}`);
}

function notFound(image: string, text: string): Error {
  return dockerError(
    "ANYPROC_IMAGE_NOT_FOUND",
    `${image}: there is no such image: ${text}: check name, tag and platform`,
  );
}
