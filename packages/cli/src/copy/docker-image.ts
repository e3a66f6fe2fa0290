import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isAnyprocError, type RootfsReport } from "@anyproc/core";
import type { ImageRootfs } from "@anyproc/docker";
import { loadDocker } from "../environments/docker.ts";
import { libraryOptions, loadImageLibrary } from "../images/library.ts";
import { progressShown } from "../images/progress.ts";
import type { DockerCopy } from "./copy-docker.ts";

/** Unpacks an image as `anyproc pull` does one of a registry's, with all that it keeps beside the directory. */
export async function unpackImage(image: string, directory: string, copying: DockerCopy): Promise<undefined> {
  const { options, signal } = copying;
  const { pullImage } = await loadImageLibrary();
  const onProgress = progressShown(options);
  // Where layers are taken out of the archive in their order, which need not be the one in which they come.
  const temporary = await mkdtemp(join(tmpdir(), "anyproc-save-"));
  try {
    const archive = join(temporary, "image.tar");
    await saveImage(image, archive, copying);
    await pullImage(`docker-archive:${archive}`, directory, {
      ...(await libraryOptions(options, signal)),
      ...(onProgress && { onProgress }),
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Writes the archive that `docker save` writes. */
export async function saveImage(image: string, file: string, copying: DockerCopy): Promise<undefined> {
  const { signal } = copying;
  const rootfs = await openImage(image, copying);
  await pipeline(await rootfs.save({ signal }), createWriteStream(file), { signal });
}

/** Writes the image's files as one archive. */
export async function exportImage(image: string, file: string, copying: DockerCopy): Promise<RootfsReport> {
  const { signal } = copying;
  const { tar, report } = (await openImage(image, copying)).exportTar({ signal });
  await pipeline(tar, createWriteStream(file), { signal });
  return report;
}

/** Makes an image of an archive. */
export async function importImage(file: string, image: string, copying: DockerCopy): Promise<RootfsReport> {
  const { options, signal } = copying;
  const { platform } = options;
  const rootfs = await openImage(image, copying);
  return rootfs.importTar(createReadStream(file), { signal, ...(platform !== undefined && { platform }) });
}

/** Makes an image of a directory, with what is kept beside it: owners, attributes, and how it wants to be run. */
export async function importDirectory(directory: string, image: string, copying: DockerCopy): Promise<RootfsReport> {
  const { options, signal } = copying;
  const { packRootfs, readImageRecord, formatPlatform } = await loadImageLibrary();
  const record = await readImageRecord(directory).catch((error: unknown) => {
    if (!isAnyprocError(error, "ANYPROC_IMAGE_NOT_FOUND")) throw error;
    return undefined;
  });
  const platform = options.platform ?? (record && formatPlatform(record.config.platform));
  const rootfs = await openImage(image, copying);
  return rootfs.importTar(Readable.from(packRootfs(directory), { objectMode: false }), {
    signal,
    ...(record && { config: record.config }),
    ...(platform !== undefined && { platform }),
  });
}

async function openImage(image: string, { connection }: DockerCopy): Promise<ImageRootfs> {
  const { openImageRootfs } = await loadDocker();
  return openImageRootfs(image, { connection });
}
