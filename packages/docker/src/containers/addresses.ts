import type { DockerConnection } from "../connection/connect.ts";
import { dockerError } from "../errors.ts";

/** Where a container can be reached in one network. */
export interface NetworkAddress {
  readonly network: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** A port of the container, and where the daemon's machine listens for it. */
export interface PublishedPort {
  readonly container: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostAddress: string;
  readonly host: number;
}

/** A running container. */
export interface ContainerHandle {
  readonly id: string;
  /** Its addresses, network by network. @throws ANYPROC_CONTAINER_NOT_RUNNING, ANYPROC_CONTAINER_NOT_FOUND */
  addresses(): Promise<NetworkAddress[]>;
  /** Its published ports, with those that the daemon chose. @throws as addresses() */
  ports(): Promise<PublishedPort[]>;
}

export function containerHandle(connection: DockerConnection, id: string): ContainerHandle {
  async function settings(): Promise<NetworkSettings> {
    const { State, NetworkSettings } = await connection.request(id, (docker) => docker.getContainer(id).inspect());
    if (!State.Running) {
      throw dockerError("ANYPROC_CONTAINER_NOT_RUNNING", `${id}: the container has ended: ask while its program runs`);
    }
    return NetworkSettings as NetworkSettings;
  }
  return {
    id,
    async addresses() {
      return Object.entries((await settings()).Networks ?? {}).map(([network, { IPAddress, GlobalIPv6Address }]) => ({
        network,
        ...(IPAddress && { ipv4: IPAddress }),
        ...(GlobalIPv6Address && { ipv6: GlobalIPv6Address }),
      }));
    },
    async ports() {
      return Object.entries((await settings()).Ports ?? {}).flatMap(([key, bindings]) => {
        const [container, protocol] = key.split("/");
        return (bindings ?? []).map(({ HostIp, HostPort }) => ({
          container: Number(container),
          protocol: protocol as PublishedPort["protocol"],
          hostAddress: HostIp || "0.0.0.0",
          host: Number(HostPort),
        }));
      });
    },
  };
}

interface NetworkSettings {
  readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string }>>;
  readonly Ports?: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
}
