import { type Duplex, Readable } from "node:stream";
import {
  copyRootfs,
  type Environment,
  type ImageSettings,
  type Rootfs,
  type RootfsOptions,
  type RootfsReport,
} from "@anyproc/core";
import { borrowOrConnect, type DockerConnection } from "../connection/connect.ts";
import type { DockerConnectionOptions } from "../connection/options.ts";
import { createDocker } from "../create-docker.ts";
import { imageSettings } from "../images/image-settings.ts";
import { exportStream } from "./export-stream.ts";
import { type ImportOptions, importImage } from "./import-image.ts";
import { mergeLayers } from "./merge-layers.ts";
import { Report } from "./report.ts";
import { openSave, saveImage } from "./saved-image.ts";
import { checkedTar } from "./tar-check.ts";

/** Which daemon has the image. */
export interface ImageRootfsOptions {
  /** @default the daemon that docker(1) would use */
  readonly connection?: DockerConnection | DockerConnectionOptions;
  readonly signal?: AbortSignal;
}

/** An image of a daemon's as a root filesystem. */
export interface ImageRootfs extends Rootfs, AsyncDisposable {
  /** How the image wants to be run. @throws ANYPROC_IMAGE_NOT_FOUND */
  config(): Promise<ImageSettings>;
  /**
   * Makes the image out of a root filesystem, in one layer. An image that had the name stays, without it.
   *
   * @throws ANYPROC_ARCHIVE_INVALID, ANYPROC_UNSAFE_PATH, ANYPROC_NO_SPACE, ANYPROC_INVALID_OPTION
   */
  importTar(tar: Readable, options?: ImportOptions): Promise<RootfsReport>;
  /** The archive that `docker save` writes: every layer as it is, with the config. @throws ANYPROC_IMAGE_NOT_FOUND */
  save(options?: RootfsOptions): Promise<Readable>;
  /** Lets go of the daemon, unless the connection was handed in. */
  close(): Promise<void>;
}

/**
 * Opens an image that is there, or that an import shall make. An export reads the layers, so that it has everything
 * that the image was built of, and nothing that docker puts into containers.
 *
 * @example
 * await using image = await openImageRootfs("debian:12");
 * await image.copyTo(openRootfs("./debian", { create: true }));
 * @throws what connectDocker() throws
 */
export async function openImageRootfs(image: string, options: ImageRootfsOptions = {}): Promise<ImageRootfs> {
  const { connection, release } = await borrowOrConnect(options.connection, options.signal);
  const name = `docker:${image}`;
  const rootfs: ImageRootfs = {
    name,
    async config() {
      const { Config } = await connection.request(image, (docker) => docker.getImage(image).inspect());
      return imageSettings(Config);
    },
    importTar: (tar, importOptions = {}) => importImage(connection, image, tar, importOptions),
    exportTar(exportOptions) {
      const report = new Report();
      const open = async (signal: AbortSignal | undefined): Promise<readonly [Readable, Duplex]> => {
        const saved = await saveImage(connection, image, signal);
        const merged = Readable.from(mergeLayers(saved.layers), { objectMode: false });
        merged.once("close", () => void saved.close());
        return [merged, checkedTar({ name, report })];
      };
      return exportStream(name, report, open, exportOptions);
    },
    copyTo: (other, copyOptions) => copyRootfs(rootfs, other, copyOptions),
    save: ({ signal } = {}) => openSave(connection, image, signal),
    environment: (): Promise<Environment> => createDocker({ image, pull: "never", connection }),
    close: release,
    [Symbol.asyncDispose]: release,
  };
  return rootfs;
}
