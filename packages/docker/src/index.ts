import { registerEnvironment, registeredEnvironments } from "@anyproc/core";
import { createDocker } from "./create-docker.ts";

export type { ImageSettings } from "@anyproc/core";
export { connectDocker, type DaemonFacts, type DockerConnection } from "./connection/connect.ts";
export type { DockerCertificates, DockerConnectionOptions } from "./connection/options.ts";
export type { ContainerHandle, NetworkAddress, PublishedPort } from "./containers/addresses.ts";
export type {
  ContainerLimits,
  DockerOptions,
  PortMapping,
  TmpfsMapping,
  VolumeMapping,
} from "./containers/options.ts";
export { type LeftContainer, leftContainers, sweepContainers } from "./containers/sweep.ts";
export { createDocker, type DockerEnvironment, type DockerProcess } from "./create-docker.ts";
export { type ContainerEnvironment, enterContainer } from "./enter-container.ts";
export type { ContainerOptions } from "./exec/options.ts";
export type { ImageConfig } from "./images/image.ts";
export type { PullOptions, PullProgress, RegistryCredentials } from "./images/options.ts";
export { type ContainerRootfs, type ContainerRootfsOptions, openContainerRootfs } from "./rootfs/container-rootfs.ts";
export { type ImageRootfs, type ImageRootfsOptions, openImageRootfs } from "./rootfs/image-rootfs.ts";
export type { ImportOptions } from "./rootfs/import-image.ts";

// Another copy of this package may be loaded already: either one serves.
if (!registeredEnvironments().includes("docker")) registerEnvironment("docker", createDocker);
