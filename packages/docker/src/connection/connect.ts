import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import Docker from "dockerode";
import { invalidOption } from "../errors.ts";
import { daemonError } from "./daemon-error.ts";
import { resolveEndpoint } from "./endpoint.ts";
import { type OpenRequest, openDuplex, openResponse } from "./open-request.ts";
import type { DockerConnectionOptions } from "./options.ts";
import { type Transports, transportsTo } from "./transport.ts";

/** What a daemon says of itself. */
export interface DaemonFacts {
  readonly engine: "docker" | "podman";
  readonly version: string;
  /** Version of the Docker Engine API, such as `[1, 41]`. */
  readonly apiVersion: readonly [number, number];
  /** Of its containers: `linux/amd64` or the like. */
  readonly platform: string;
}

/** A daemon that has answered. */
export interface DockerConnection extends AsyncDisposable {
  /** As in DOCKER_HOST. */
  readonly name: string;
  readonly daemon: DaemonFacts;
  /**
   * Asks the daemon through dockerode.
   *
   * @param object what it is about, for the error's message
   * @throws ANYPROC_DOCKER_UNREACHABLE, ANYPROC_DOCKER_PERMISSION_DENIED, ANYPROC_DOCKER_REFUSED and its kin
   */
  request<T>(object: string, ask: (docker: Docker) => Promise<T>): Promise<T>;
  /** Sends a POST and takes the connection over, for a program's streams. Throws as request() does. */
  openDuplex(object: string, request: OpenRequest): Promise<Duplex>;
  /** Sends a POST and resolves with the head of the answer. Throws as request() does. */
  openResponse(object: string, request: OpenRequest): Promise<IncomingMessage>;
  close(): Promise<void>;
}

/**
 * Connects to a Docker daemon, or to podman's socket.
 *
 * @example
 * await using docker = await connectDocker({ host: "ssh://deploy@box.example.org" });
 * @throws ANYPROC_DOCKER_UNREACHABLE, ANYPROC_DOCKER_PERMISSION_DENIED, ANYPROC_DOCKER_REFUSED, ANYPROC_INVALID_OPTION;
 * the signal's reason
 */
export async function connectDocker(options: DockerConnectionOptions = {}): Promise<DockerConnection> {
  const { timeoutMs = 20_000, signal } = options;
  // setTimeout's own limit: a longer delay would fire at once.
  if (!(timeoutMs >= 0 && timeoutMs <= 2 ** 31 - 1)) {
    throw invalidOption(`timeoutMs is ${timeoutMs}: give milliseconds between 0 and ${2 ** 31 - 1}`);
  }
  signal?.throwIfAborted();
  const endpoint = await resolveEndpoint(options);
  const transports = transportsTo(endpoint);
  const { name } = endpoint;
  const docker = openDocker(transports);
  const request: DockerConnection["request"] = async (object, ask) => {
    try {
      return await ask(docker);
    } catch (error) {
      throw daemonError(name, object, error);
    }
  };
  const close = async (): Promise<void> => transports.close();
  try {
    const limit = AbortSignal.timeout(timeoutMs);
    const abortSignal = signal ? AbortSignal.any([limit, signal]) : limit;
    const daemon = await request(name, async (api) => facts(await askVersion(api, abortSignal)));
    return {
      name,
      daemon,
      request,
      openDuplex: (object, sent) => request(object, () => openDuplex(transports.own, sent)),
      openResponse: (object, sent) => request(object, () => openResponse(transports.own, sent)),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    transports.close();
    signal?.throwIfAborted();
    throw error;
  }
}

/** Uses a connection that somebody else closes, or makes one and hands it over with its close(). */
export async function borrowOrConnect(
  connection: DockerConnection | DockerConnectionOptions | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly connection: DockerConnection; readonly release: () => Promise<void> }> {
  if (connection && "request" in connection) return { connection, release: () => Promise.resolve() };
  const own = await connectDocker({ ...(signal && { signal }), ...connection });
  return { connection: own, release: () => own.close() };
}

function openDocker(transports: Transports): Docker {
  try {
    return new Docker(transports.dockerode);
  } catch (error) {
    // dockerode reads DOCKER_HOST and DOCKER_CERT_PATH whatever it is told.
    throw invalidOption(`DOCKER_HOST or DOCKER_CERT_PATH: ${String(error)}: correct or unset them`, error);
  }
}

async function askVersion(docker: Docker, abortSignal: AbortSignal): Promise<Docker.DockerVersion> {
  return (docker.version as (options: object) => Promise<Docker.DockerVersion>)({ abortSignal });
}

function facts(version: Docker.DockerVersion): DaemonFacts {
  const [major = 1, minor = 0] = String(version.ApiVersion).split(".").map(Number);
  const components = (version as { Components?: readonly { readonly Name?: string }[] }).Components ?? [];
  return {
    engine: components.some(({ Name = "" }) => /podman/i.test(Name)) ? "podman" : "docker",
    version: version.Version,
    apiVersion: [major, minor],
    platform: `${version.Os}/${version.Arch}`,
  };
}
