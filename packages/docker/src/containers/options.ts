import type { DockerConnection } from "../connection/connect.ts";
import type { DockerConnectionOptions } from "../connection/options.ts";
import type { PullOptions } from "../images/options.ts";

/** A port of the container, reachable through the daemon's machine. */
export interface PortMapping {
  /** Inside: one port, or a range such as `8000-8010`. */
  readonly container: number | string;
  /** Outside: a port, or a range of the same length. @default one that is free */
  readonly host?: number | string;
  /** Address of the daemon's machine to listen on. @default all of them */
  readonly hostAddress?: string;
  /** @default "tcp" */
  readonly protocol?: "tcp" | "udp" | "sctp";
}

/** A directory, file or volume of the daemon's machine, shown in the container. */
export interface VolumeMapping {
  /** An absolute path over there, or the name of a volume. @default a fresh volume, which goes with the container */
  readonly source?: string;
  /** Where it appears: an absolute path. */
  readonly target: string;
  /** @default false */
  readonly readOnly?: boolean;
}

/** A file system in memory. */
export interface TmpfsMapping {
  readonly target: string;
  /** @default half of the machine's memory */
  readonly sizeBytes?: number;
  /** Permission bits of its root. @default 0o1777 */
  readonly mode?: number;
}

/** What a container may use. */
export interface ContainerLimits {
  /** Memory without swap; a program that needs more is killed, and its exit says `outOfMemory`. */
  readonly memoryBytes?: number;
  /** Processors, also parts of one: 0.5. */
  readonly cpus?: number;
  /** Processes and threads at once. */
  readonly processes?: number;
}

/** Options of createDocker(). */
export interface DockerOptions extends PullOptions {
  /** What to run in: a name, tag, digest or id. @default "debian:latest" */
  readonly image?: string;
  /** Name of the container; one at a time can have it. @default chosen by the daemon */
  readonly name?: string;
  /** Ports to publish, as mappings or in docker's words: `127.0.0.1:8080:80`, `8000-8010:80-90/udp`, `80`. */
  readonly ports?: readonly (PortMapping | string)[];
  /** What to mount, as mappings or in docker's words: `/srv/data:/data:ro`, `cache:/var/cache`. */
  readonly volumes?: readonly (VolumeMapping | string)[];
  /** Where to mount file systems in memory. */
  readonly tmpfs?: readonly (TmpfsMapping | string)[];
  /** `none`, `host`, `bridge`, or the names of networks. @default the daemon's */
  readonly network?: string | readonly string[];
  /** Variables on top of the image's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working directory of commands that name none. @default the image's */
  readonly cwd?: string;
  /** Who runs commands that name nobody: `name`, `uid` or `uid:gid`. @default the image's */
  readonly user?: string;
  readonly limits?: ContainerLimits;
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Run the daemon's init (tini) as the container's first process. It passes signals on and reaps orphans; without it
   * the program is process 1, which the kernel lets ignore most signals: pid_namespaces(7).
   *
   * @default true
   */
  readonly init?: boolean;
  /** Remove each container when its program has ended. @default true */
  readonly autoRemove?: boolean;
  /** A connection that is shared, or how to make one of its own. @default as docker(1) would choose */
  readonly connection?: DockerConnection | DockerConnectionOptions;
}
