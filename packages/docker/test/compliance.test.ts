import { compliance } from "@anyproc/compliance";
import { afterAll } from "vitest";
import { type DockerServer, describeOn, enter, startDockerServer } from "./server.ts";

// A container takes a quarter of a second, and what one test leaves in /tmp the next one looks for: it is a volume.
const options = { repetitions: 30, parallelism: 50, timeoutMs: 300_000 };

for (const engine of ["docker", "podman"] as const) {
  describeOn(engine)(`on a real ${engine}`, () => {
    let server: Promise<DockerServer> | undefined;
    afterAll(async () => (await server)?.stop());

    compliance("containers", {
      ...options,
      setup: async () => {
        server ??= startDockerServer({ engine });
        const environment = await enter(await server, { volumes: ["tmp:/tmp"] });
        return { environment, sharesProcessIds: false };
      },
    });
  });
}
