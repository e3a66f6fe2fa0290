import type { Command } from "@anyproc/core";
import type { ContainerCreateOptions } from "dockerode";
import { invalidOption } from "../errors.ts";
import type { ImageConfig } from "../images/image.ts";
import type { ContainerLimits, DockerOptions } from "./options.ts";
import { portConfig } from "./ports.ts";
import {
  programConfig,
  sizeOf,
  terminalSizeScript,
  throughShell,
  unsetScript,
  userText,
  variableNames,
} from "./program.ts";
import { mountConfig } from "./volumes.ts";

/** The part of a container that is the same for every command. */
export interface ContainerTemplate extends ContainerCreateOptions {
  readonly HostConfig: NonNullable<ContainerCreateOptions["HostConfig"]>;
}

/** @throws ANYPROC_INVALID_OPTION for names, ports, volumes and limits that cannot be */
export function containerTemplate(
  options: DockerOptions,
  image: string,
  labels: Readonly<Record<string, string>>,
): ContainerTemplate {
  const { name, platform, ports = [], volumes = [], tmpfs = [], init = true, autoRemove = true, limits = {} } = options;
  if (name !== undefined && !/^[a-zA-Z0-9][\w.-]+$/.test(name)) {
    throw invalidOption(`name ${JSON.stringify(name)}: two or more letters, digits and _.-, the first no mark`);
  }
  const { ExposedPorts, PortBindings } = portConfig(ports);
  const [network] = networksOf(options);
  return {
    Image: image,
    ...(name !== undefined && { name }),
    ...(platform !== undefined && { platform }),
    Labels: { ...options.labels, ...labels },
    ExposedPorts,
    HostConfig: {
      PortBindings,
      Mounts: mountConfig(volumes, tmpfs) as NonNullable<ContainerTemplate["HostConfig"]["Mounts"]>,
      Init: init,
      // A container that the daemon has removed cannot be asked whether its memory ran out.
      AutoRemove: autoRemove && limits.memoryBytes === undefined,
      // Output goes to who attached; a log would be a second copy on the daemon's disk.
      LogConfig: { Type: "none", Config: {} },
      ...(network !== undefined && { NetworkMode: network }),
      ...limitConfig(limits),
    },
  };
}

/** The networks of a container; the daemon takes the first one when it makes the container. */
export function networksOf({ network }: DockerOptions): readonly string[] {
  return typeof network === "string" ? [network] : (network ?? []);
}

/** How a command's container is to be made. */
export interface CommandSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly user: string | undefined;
  readonly image: ImageConfig;
  /** The daemon cannot give a terminal its size before the program runs: API before 1.42. */
  readonly setsSizeInside: boolean;
  /** The daemon cannot take variables away: podman. */
  readonly unsetsInside: boolean;
}

/** The container for one command. @throws ANYPROC_ARGUMENTS_TOO_LONG */
export function containerConfig(
  template: ContainerTemplate,
  command: Command,
  settings: CommandSettings,
): ContainerCreateOptions {
  const { pty, stdin } = command;
  const { argv, env, removed } = programConfig(command, settings.env, variableNames(settings.image.env));
  const script = [
    ...unsetScript(settings.unsetsInside ? removed : removed.filter((name) => name === "HOME")),
    ...(pty && settings.setsSizeInside ? [terminalSizeScript(pty)] : []),
  ];
  const cwd = command.cwd ?? settings.cwd;
  const user = command.user === undefined ? settings.user : userText(command.user);
  const groups = typeof command.user === "object" ? (command.user.additionalGids ?? []) : [];
  const hasInput = stdin !== "null" || Boolean(pty);
  return {
    ...template,
    // argv is the program, whatever the image would put before it.
    Entrypoint: script.length > 0 ? throughShell(script, argv) : argv,
    Cmd: [],
    Env: settings.unsetsInside ? env.filter((variable) => variable.includes("=")) : env,
    ...(cwd !== undefined && { WorkingDir: cwd }),
    ...(user !== undefined && { User: user }),
    Tty: Boolean(pty),
    OpenStdin: hasInput,
    StdinOnce: hasInput,
    AttachStdin: hasInput,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      ...template.HostConfig,
      ...(groups.length > 0 && { GroupAdd: groups.map(String) }),
      ...(pty && { ConsoleSize: [sizeOf(pty).rows, sizeOf(pty).columns] }),
    },
  };
}

function limitConfig({ memoryBytes, cpus, processes }: ContainerLimits): object {
  checkPositive("limits.memoryBytes", memoryBytes);
  checkPositive("limits.cpus", cpus);
  checkPositive("limits.processes", processes);
  return {
    // Without swap, which would only put the end off.
    ...(memoryBytes !== undefined && { Memory: Math.floor(memoryBytes), MemorySwap: Math.floor(memoryBytes) }),
    ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
    ...(processes !== undefined && { PidsLimit: Math.floor(processes) }),
  };
}

function checkPositive(option: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0 && Number.isFinite(value))) {
    throw invalidOption(`${option} is ${value}: give a positive number, or leave it out`);
  }
}
