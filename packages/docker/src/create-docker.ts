import { randomUUID } from "node:crypto";
import {
  AnyprocError,
  type Capabilities,
  type Command,
  type CommandInput,
  defineEnvironment,
  type Environment,
  imageCommand,
  type Process,
  programName,
  type SpawnOptions,
  toCommand,
} from "@anyproc/core";
import { borrowOrConnect, type DockerConnection } from "./connection/connect.ts";
import { type ContainerHandle, containerHandle } from "./containers/addresses.ts";
import { containerTemplate, networksOf } from "./containers/container-config.ts";
import type { DockerOptions } from "./containers/options.ts";
import { clientLabel, clientName, environmentLabel } from "./containers/owner.ts";
import { removeAllWith } from "./containers/removal.ts";
import { startContainer } from "./containers/start-container.ts";
import { type ImageConfig, provideImage } from "./images/image.ts";

const capabilities: Capabilities = {
  pty: true,
  inherit: false,
  signals: "all",
  user: true,
  files: false,
  binaryArguments: false,
  pid: "none",
  tree: "all",
  orphans: "ended",
};

/** A process that has a container of its own. */
export interface DockerProcess extends Process {
  /** Its container. @throws ANYPROC_NOT_RUNNING before the start */
  container(): ContainerHandle;
}

/** An image, every command in a new container of it. */
export interface DockerEnvironment extends Environment {
  readonly connection: DockerConnection;
  readonly image: ImageConfig;
  create(command: CommandInput, options?: SpawnOptions): DockerProcess;
  spawn(command: CommandInput, options?: SpawnOptions): Promise<DockerProcess>;
  /** What `docker run IMAGE ARGS` would run: the image's entrypoint, and `args` or else its own command. */
  imageCommand(args?: readonly string[]): string[];
}

/**
 * An environment that runs each command as the process of a new container.
 *
 * @example
 * const docker = await createDocker({ image: "debian:12" });
 * const { stdout } = await exec(docker, ["cat", "/etc/debian_version"]);
 * @throws ANYPROC_DOCKER_UNREACHABLE, ANYPROC_DOCKER_PERMISSION_DENIED, ANYPROC_DOCKER_REFUSED,
 * ANYPROC_IMAGE_NOT_FOUND, ANYPROC_PULL_FAILED, ANYPROC_CREDENTIALS_UNREADABLE, ANYPROC_INVALID_OPTION; the signal's
 * reason
 */
export async function createDocker(options: DockerOptions = {}): Promise<DockerEnvironment> {
  const { image: reference = "debian:latest", autoRemove = true, env = {}, cwd, user } = options;
  const label = `${environmentLabel}=${randomUUID()}`;
  const [labelName = "", labelValue = ""] = label.split("=");
  // What is kept on purpose is nobody's to sweep.
  const labels = autoRemove ? { [clientLabel]: clientName(), [labelName]: labelValue } : {};
  const template = containerTemplate(options, reference, labels);
  const { connection, release } = await borrowOrConnect(options.connection, options.signal);
  let image: ImageConfig;
  try {
    image = await provideImage(connection, reference, options);
  } catch (error) {
    await release();
    throw error;
  }
  const containers = new WeakMap<Command, ContainerHandle>();
  const [major, minor] = connection.daemon.apiVersion;
  const source = {
    connection,
    template,
    networks: networksOf(options).slice(1),
    autoRemove,
    image,
    env,
    cwd,
    user,
    unsetsInside: connection.daemon.engine === "podman",
    setsSizeInside: major === 1 && minor < 42,
    onCreated: (command: Command, { id }: { readonly id: string }) => {
      containers.set(command, containerHandle(connection, id));
    },
  };
  const environment = defineEnvironment({
    name: `docker:${reference}`,
    capabilities,
    start: (command) => startContainer(source, command),
    release: async () => {
      try {
        if (autoRemove) await removeAllWith(connection, label);
      } finally {
        await release();
      }
    },
  });

  function create(input: CommandInput, spawnOptions?: SpawnOptions): DockerProcess {
    // A command may be run many times: each process has its own, by which its container is found.
    const command: Command = { ...toCommand(input) };
    const container = (): ContainerHandle => {
      const handle = containers.get(command);
      if (handle) return handle;
      throw new AnyprocError(
        "ANYPROC_NOT_RUNNING",
        `${programName(command)}: it has no container before it is started`,
      );
    };
    return Object.assign(environment.create(command, spawnOptions), { container });
  }

  return {
    ...environment,
    connection,
    image,
    create,
    async spawn(input: CommandInput, spawnOptions?: SpawnOptions) {
      const process = create(input, spawnOptions);
      await process.start();
      return process;
    },
    imageCommand: (args) => imageCommand(image, args),
  };
}
