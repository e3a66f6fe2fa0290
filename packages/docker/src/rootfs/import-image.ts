import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { ImageSettings, RootfsOptions, RootfsReport } from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { isRecord } from "../connection/docker-config.ts";
import { dockerError, invalidOption } from "../errors.ts";
import { sending } from "../files/archive.ts";
import { parseReference } from "../images/reference.ts";
import { importChanges } from "./import-changes.ts";
import { Report } from "./report.ts";
import { sendChecked } from "./send-checked.ts";
import { unpackFailure } from "./unpack-failure.ts";

/** How a tar stream becomes an image. */
export interface ImportOptions extends RootfsOptions {
  /** How the image wants to be run. @default nothing is said about it */
  readonly config?: Partial<ImageSettings>;
  /** `linux/arm64` or the like. @default the daemon's */
  readonly platform?: string;
}

/** Makes an image of one layer: Docker Engine API, "Create an image", with the tar as the request's body. */
export async function importImage(
  connection: DockerConnection,
  image: string,
  tar: Readable,
  { config = {}, platform, signal }: ImportOptions,
): Promise<RootfsReport> {
  const reference = parseReference(image);
  if (!reference || reference.version.includes(":")) {
    throw invalidOption(`image ${image}: an import needs a name for the image: write NAME[:TAG]`);
  }
  const { changes, losses } = importChanges(config);
  const report = new Report();
  for (const { path, what, reason } of losses) report.lose(path, what, reason);
  const query = {
    repo: reference.repository,
    tag: reference.version,
    changes: [...changes],
    ...(platform !== undefined && { platform }),
  };
  await sendChecked(tar, { name: image, report }, signal, (checked) =>
    connection.request(image, (docker) =>
      sending(checked, signal, async (body, abortSignal) => {
        const answer = await docker.importImage(body as NodeJS.ReadableStream, { ...query, abortSignal });
        await checkAnswer(image, answer as Readable);
      }),
    ),
  );
  return report.result;
}

/** Reads what the daemon says to its end: a failure comes after a head that promised success. */
async function checkAnswer(image: string, answer: Readable): Promise<void> {
  let isDone = false;
  for await (const line of createInterface({ input: answer })) {
    const event: unknown = line.trim() === "" ? undefined : JSON.parse(line);
    if (!isRecord(event)) continue;
    if (typeof event["error"] === "string") throw unpackFailure(image, event["error"], undefined);
    if (/^sha256:/.test(String(event["status"]))) isDone = true;
  }
  if (!isDone) {
    throw dockerError("ANYPROC_CONNECTION_LOST", `${image}: the daemon went away during the import: import it again`);
  }
}
