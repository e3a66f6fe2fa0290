import type { Environment } from "@anyproc/core";
import type { ImageOptions } from "../commands/image-options.ts";
import type { OutputOptions } from "../output.ts";
import { chooseEnvironment } from "./choose.ts";
import type { EnvironmentName } from "./names.ts";
import type { EnvironmentOptions, Observer } from "./options.ts";

type Options = EnvironmentOptions & ImageOptions & OutputOptions;

// Imported only when chosen: what is not used need not be installed, and costs no time.
const factories: Readonly<
  Record<EnvironmentName, () => Promise<(options: Options, observer?: Observer) => Environment | Promise<Environment>>>
> = {
  host: async () => (await import("./host.ts")).hostEnvironment,
  docker: async () => (await import("./docker.ts")).dockerEnvironment,
  ssh: async () => (await import("./ssh.ts")).sshEnvironment,
  proot: async () => (await import("./proot.ts")).prootEnvironment,
};

/** The environment that the options describe. */
export async function createEnvironment(options: Options, observer?: Observer): Promise<Environment> {
  const factory = await factories[chooseEnvironment(options)]();
  return factory(options, observer);
}
