import type { DockerConnection } from "../connection/connect.ts";
import type { DockerConnectionOptions } from "../connection/options.ts";

/** Options of enterContainer(). */
export interface ContainerOptions {
  /** Variables on top of the container's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working directory of commands that name none. @default the container's */
  readonly cwd?: string;
  /** Who runs commands that name nobody: `name`, `uid` or `uid:gid`. @default the container's */
  readonly user?: string;
  /** A connection that is shared, or how to make one of its own. @default as docker(1) would choose */
  readonly connection?: DockerConnection | DockerConnectionOptions;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}
