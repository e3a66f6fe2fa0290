import { compliance } from "@anyproc/compliance";
import { afterAll } from "vitest";
import { enterContainer } from "../src/index.ts";
import { type DockerServer, describeOn, enter, startDockerServer } from "./server.ts";

// A container takes a quarter of a second to start, and two processors are soon busy with it.
const options = { repetitions: 30, parallelism: 50, timeoutMs: 300_000 };

for (const engine of ["docker", "podman"] as const) {
  describeOn(engine)(`on a real ${engine}`, () => {
    let server: Promise<DockerServer> | undefined;
    afterAll(async () => (await server)?.stop());

    compliance("new containers", {
      ...options,
      setup: async () => {
        server ??= startDockerServer({ engine });
        // Tests look for what others have left in /tmp.
        const environment = await enter(await server, { volumes: ["tmp:/tmp"] });
        return { environment, sharesProcessIds: false };
      },
    });

    compliance("a running container", {
      ...options,
      setup: async () => {
        server ??= startDockerServer({ engine });
        const containers = await enter(await server);
        const { connection } = containers;
        const keeper = await containers.spawn(["sleep", "infinity"]);
        const environment = await enterContainer(keeper.container().id, { connection });
        // podman lets go of the streams when the first process has ended.
        return { environment, keepsOrphanOutput: engine !== "podman", cleanup: () => containers.close() };
      },
    });
  });
}
