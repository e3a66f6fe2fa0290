import { type ImageSettings, isAnyprocError } from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { dockerError } from "../errors.ts";
import { imageSettings } from "./image-settings.ts";
import type { PullOptions } from "./options.ts";
import { pullImage } from "./pull.ts";

/** An image of the daemon's, and how it wants to be run. */
export interface ImageConfig extends ImageSettings {
  readonly id: string;
  /** `linux/amd64` or the like. */
  readonly platform: string;
}

/**
 * The image's configuration, once the daemon has it: pulled when it is missing, or as the options say.
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND and what pullImage() throws
 */
export async function provideImage(
  connection: DockerConnection,
  image: string,
  options: PullOptions,
): Promise<ImageConfig> {
  const { pull = "missing" } = options;
  if (pull === "always") {
    await pullImage(connection, image, options);
    return inspectImage(connection, image);
  }
  const present = await inspectImage(connection, image).catch((error: unknown) => {
    if (!isAnyprocError(error, "ANYPROC_IMAGE_NOT_FOUND")) throw error;
    if (pull === "missing") return undefined;
    throw dockerError(
      "ANYPROC_IMAGE_NOT_FOUND",
      `${image}: ${connection.name} does not have this image: pull it, or allow it with pull: "missing"`,
      error,
    );
  });
  if (present && isOfPlatform(present, options.platform)) return present;
  if (pull === "never") {
    throw dockerError(
      "ANYPROC_IMAGE_NOT_FOUND",
      `${image}: it is here for ${present?.platform}, not for ${options.platform}: leave platform out, or pull it`,
    );
  }
  await pullImage(connection, image, options);
  return inspectImage(connection, image);
}

/** @throws ANYPROC_IMAGE_NOT_FOUND and what DockerConnection.request() throws */
export async function inspectImage(connection: DockerConnection, image: string): Promise<ImageConfig> {
  const { Id, Config, Os, Architecture, ...rest } = await connection.request(image, (docker) =>
    docker.getImage(image).inspect(),
  );
  const variant = (rest as { readonly Variant?: string }).Variant;
  return {
    id: Id,
    ...imageSettings(Config),
    platform: [Os, Architecture, ...(variant ? [variant] : [])].join("/"),
  };
}

/** `linux/arm` is satisfied by `linux/arm/v7`. */
function isOfPlatform(image: ImageConfig, platform: string | undefined): boolean {
  return platform === undefined || `${image.platform}/`.startsWith(`${platform}/`);
}
