import { createEnvironment, type Environment } from "@anyproc/core";
import { loadPackage } from "./load-package.ts";
import type { EnvironmentOptions } from "./options.ts";

/** The package that brings this environment. It is optional, so the compiler must not look for it. */
export const dockerPackage: string = "@anyproc/docker";

/** A container of a Docker daemon. */
export async function dockerEnvironment({ image }: EnvironmentOptions): Promise<Environment> {
  await loadPackage(dockerPackage, () => import(dockerPackage));
  return createEnvironment("docker", { image });
}
