import type { Environment } from "@anyproc/core";
import type { PullProgress } from "@anyproc/docker";
import type { ImageOptions } from "../commands/image-options.ts";
import { interruptible } from "../images/library.ts";
import { type OutputOptions, writeErrorLine } from "../output.ts";
import { UsageError } from "../usage-error.ts";
import { loadPackage } from "./load-package.ts";
import type { EnvironmentOptions } from "./options.ts";

/** The package that brings this environment. */
export const dockerPackage = "@anyproc/docker";

type DockerPackage = typeof import("@anyproc/docker");

/** Loads it, since it need not be installed. */
export function loadDocker(): Promise<DockerPackage> {
  return loadPackage(dockerPackage, () => import("@anyproc/docker"));
}

/** A new container of an image, or a container that is running. */
export async function dockerEnvironment(
  options: EnvironmentOptions & Pick<ImageOptions, "platform"> & OutputOptions,
): Promise<Environment> {
  const { container, image } = options;
  const docker = await loadDocker();
  const connection = options.dockerHost === undefined ? {} : { host: options.dockerHost };
  if (container === undefined) {
    return interruptible((signal) => docker.createDocker({ ...newContainerOptions(options), connection, signal }));
  }
  const flag = image === undefined ? newContainerFlag(options) : "--image";
  if (flag)
    throw new UsageError(`--container names one that is running, ${flag} is for a new one: leave one of them out`);
  return docker.enterContainer(container, { connection });
}

function newContainerOptions(
  options: EnvironmentOptions & Pick<ImageOptions, "platform"> & OutputOptions,
): Parameters<DockerPackage["createDocker"]>[0] {
  const { image, platform, publish, volume, network, name, rm } = options;
  const pull = pullPolicy(options.pull);
  return {
    ...(image !== undefined && { image }),
    ...(platform !== undefined && { platform }),
    ...(publish && { ports: publish }),
    ...(volume && { volumes: volume }),
    ...(network && { network }),
    ...(name !== undefined && { name }),
    ...(rm !== undefined && { autoRemove: rm }),
    ...(pull && { pull }),
    // The program's own output has stdout and stderr to itself, unless somebody looks.
    ...((options.verbose || process.stderr.isTTY) && !options.quiet && { onProgress: tellPull }),
  };
}

function newContainerFlag(options: EnvironmentOptions): string | undefined {
  const name = (["publish", "volume", "network", "name", "pull", "rm"] as const).find(
    (key) => options[key] !== undefined,
  );
  return name && `--${name}`;
}

function pullPolicy(text: string | undefined): "missing" | "always" | "never" | undefined {
  if (text === undefined || text === "missing" || text === "always" || text === "never") return text;
  throw new UsageError(`--pull ${text}: choose missing, always or never`);
}

function tellPull(progress: PullProgress): void {
  if (progress.phase === "complete") writeErrorLine(`layer ${progress.layer}: pulled`);
  if (progress.phase === "done") writeErrorLine(`${progress.reference}: complete`);
}
