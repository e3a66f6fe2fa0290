import { describe } from "vitest";
import {
  type DockerServer,
  type DockerServerOptions,
  dockerServerMissing,
  startDockerServer,
} from "../../../tools/services/docker.ts";
import { createDocker, type DockerEnvironment, type DockerOptions } from "../src/index.ts";

export type { DockerServer };
export { startDockerServer };

type Engine = NonNullable<DockerServerOptions["engine"]>;

/** For tests that need a server. */
export function describeOn(engine: Engine): typeof describe {
  const missing = dockerServerMissing(engine);
  if (missing) console.warn(`tests against a real ${engine} are skipped: ${missing}`);
  return missing ? (describe.skip as typeof describe) : describe;
}

/** The test image on a test server, without a network unless asked. */
export function enter(server: DockerServer, options: DockerOptions = {}): Promise<DockerEnvironment> {
  return createDocker({
    image: server.image,
    pull: "never",
    network: "none",
    connection: { host: server.host },
    ...options,
  });
}
