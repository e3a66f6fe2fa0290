import { createEnvironment, type Environment } from "@anyproc/core";
import { loadPackage } from "./load-package.ts";
import type { EnvironmentOptions } from "./options.ts";

/** The package that brings this environment. It is optional, so the compiler must not look for it. */
export const sshPackage: string = "@anyproc/ssh";

/** Another machine. */
export async function sshEnvironment({ host }: EnvironmentOptions): Promise<Environment> {
  await loadPackage(sshPackage, () => import(sshPackage));
  return createEnvironment("ssh", { host });
}
