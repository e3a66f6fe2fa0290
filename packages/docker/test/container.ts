import type { DockerConnection } from "../src/index.ts";

/** A container for a test, made by the daemon's API alone. */
export interface TestContainer extends AsyncDisposable {
  readonly id: string;
}

/** Makes a container, and starts it unless it shall only be there. */
export async function makeContainer(
  connection: DockerConnection,
  image: string,
  { isRunning = true }: { readonly isRunning?: boolean } = {},
): Promise<TestContainer> {
  const container = await connection.request(image, (docker) =>
    docker.createContainer({
      Image: image,
      // SIGTERM has no effect on a first process that does not ask for it.
      Cmd: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"],
      HostConfig: { NetworkMode: "none" },
    }),
  );
  if (isRunning) await connection.request(image, () => container.start());
  return {
    id: container.id,
    async [Symbol.asyncDispose]() {
      await connection.request(image, () => container.remove({ force: true })).catch(() => {});
    },
  };
}
