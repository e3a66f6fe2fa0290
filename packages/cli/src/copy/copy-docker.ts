import { isAnyprocError, type RootfsReport } from "@anyproc/core";
import type { DockerConnection } from "@anyproc/docker";
import type { CopyOptions } from "../commands/copy.ts";
import { loadDocker } from "../environments/docker.ts";
import { interruptible } from "../images/library.ts";
import { writeErrorLine, writeJson } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { copyFromContainer, copyToContainer, exportContainer, importToContainer } from "./docker-container.ts";
import { exportImage, importDirectory, importImage, saveImage, unpackImage } from "./docker-image.ts";
import { type DockerPlace, parseDockerPlace } from "./docker-place.ts";
import { reportLosses } from "./report-losses.ts";

/** What a copy is done with. */
export interface DockerCopy {
  readonly connection: DockerConnection;
  readonly options: CopyOptions;
  readonly signal: AbortSignal;
}

/** Copies between a Docker daemon and this machine, and tells what could not be kept. */
export async function copyDocker(source: string, target: string, options: CopyOptions): Promise<void> {
  const from = parseDockerPlace(source);
  const to = parseDockerPlace(target);
  const report = await interruptible(async (signal) => {
    const { connectDocker } = await loadDocker();
    const { dockerHost } = options;
    const connection = await connectDocker({ signal, ...(dockerHost !== undefined && { host: dockerHost }) });
    try {
      return await copy(await withContainer(from, connection), to, { connection, options, signal });
    } finally {
      await connection.close();
    }
  });
  // Unpacking tells of its progress itself.
  if (!report) return;
  if (options.json) {
    writeJson(report);
    return;
  }
  reportLosses(report);
  if (!options.quiet) writeErrorLine(`anyproc: ${report.entries} entries, ${report.bytes} bytes`);
}

/** A name without a path that is no image's may be a container's. */
async function withContainer(place: DockerPlace, connection: DockerConnection): Promise<DockerPlace> {
  if (place.kind !== "image") return place;
  const { name } = place;
  try {
    await connection.request(name, (docker) => docker.getImage(name).inspect());
    return place;
  } catch (error) {
    if (!isAnyprocError(error, "ANYPROC_IMAGE_NOT_FOUND")) throw error;
    const container = connection.request(name, (docker) => docker.getContainer(name).inspect());
    return container.then(
      () => ({ kind: "container", name, path: "/" }),
      () => Promise.reject(error),
    );
  }
}

async function copy(from: DockerPlace, to: DockerPlace, copying: DockerCopy): Promise<RootfsReport | undefined> {
  if (from.kind === "image" && to.kind === "dir") return unpackImage(from.name, to.path, copying);
  if (from.kind === "image" && to.kind === "tar") return exportImage(from.name, to.path, copying);
  if (from.kind === "image" && to.kind === "docker-archive") return saveImage(from.name, to.path, copying);
  if (from.kind === "dir" && to.kind === "image") return importDirectory(from.path, to.name, copying);
  if (from.kind === "tar" && to.kind === "image") return importImage(from.path, to.name, copying);
  if (from.kind === "container" && to.kind === "dir") return copyFromContainer(from, to.path, copying);
  if (from.kind === "container" && to.kind === "tar") return exportContainer(from, to.path, copying);
  if (from.kind === "dir" && to.kind === "container") return copyToContainer(from.path, to, copying);
  if (from.kind === "tar" && to.kind === "container") return importToContainer(from.path, to, copying);
  throw new UsageError(
    `copy from ${from.kind} to ${to.kind} is not supported: one side is docker:IMAGE or docker:CONTAINER:/PATH, the ` +
      "other dir:DIR or tar:FILE; an image goes to docker-archive:FILE too",
  );
}
