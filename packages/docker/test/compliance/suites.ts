import { type ComplianceOptions, compliance } from "@anyproc/compliance";
import { afterAll } from "vitest";
import { enterContainer } from "../../src/index.ts";
import { type DockerServer, describeOn, type Engine, enter, startDockerServer } from "../server.ts";

// A container takes a quarter of a second to start, and two processors are soon busy with it.
const options = { repetitions: 30, parallelism: 50, timeoutMs: 300_000 };

/** The suite, each program in a container of its own. A file each: these take minutes, and files run side by side. */
export function newContainers(engine: Engine): void {
  onServer(engine, "new containers", async (server) => {
    // Tests look for what others have left in /tmp.
    const environment = await enter(server, { volumes: ["tmp:/tmp"] });
    return { environment, sharesProcessIds: false };
  });
}

/** The suite in one container that is running. */
export function runningContainer(engine: Engine): void {
  onServer(engine, "a running container", async (server) => {
    const containers = await enter(server);
    const { connection } = containers;
    const keeper = await containers.spawn(["sleep", "infinity"]);
    const environment = await enterContainer(keeper.container().id, { connection });
    // podman lets go of the streams when the first process has ended.
    return { environment, keepsOrphanOutput: engine !== "podman", cleanup: () => containers.close() };
  });
}

function onServer(
  engine: Engine,
  name: string,
  setup: (server: DockerServer) => ReturnType<ComplianceOptions["setup"]>,
): void {
  describeOn(engine)(`on a real ${engine}`, () => {
    let server: Promise<DockerServer> | undefined;
    afterAll(async () => (await server)?.stop());

    compliance(name, {
      ...options,
      setup: async () => {
        server ??= startDockerServer({ engine });
        return setup(await server);
      },
    });
  });
}
