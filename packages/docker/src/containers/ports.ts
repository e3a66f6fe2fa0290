import { invalidOption } from "../errors.ts";
import type { PortMapping } from "./options.ts";

/** Ports in the words of the Docker Engine API: `ExposedPorts` and `HostConfig.PortBindings`. */
export interface PortConfig {
  readonly ExposedPorts: Record<string, object>;
  readonly PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
}

const protocols: readonly string[] = ["tcp", "udp", "sctp"];

/** @throws ANYPROC_INVALID_OPTION */
export function portConfig(ports: readonly (PortMapping | string)[]): PortConfig {
  const config: PortConfig = { ExposedPorts: {}, PortBindings: {} };
  for (const port of ports) {
    const { container, host, hostAddress = "", protocol = "tcp" } = typeof port === "string" ? parsePort(port) : port;
    const inside = portRange(container);
    const outside = host === undefined ? undefined : portRange(host);
    if (!protocols.includes(protocol)) throw invalid(port, `no protocol is called ${protocol}: tcp, udp or sctp`);
    if (outside && outside.length !== inside.length && inside.length > 1) {
      throw invalid(port, "both ranges must have the same length");
    }
    for (const [index, number] of inside.entries()) {
      const key = `${number}/${protocol}`;
      // One port inside and a range outside: the daemon takes the first that is free.
      const hostPort = inside.length === 1 ? rangeText(outside) : String(outside?.[index] ?? "");
      config.ExposedPorts[key] = {};
      config.PortBindings[key] ??= [];
      config.PortBindings[key].push({ HostIp: hostAddress, HostPort: hostPort });
    }
  }
  return config;
}

/** Reads docker's syntax, `[address:][host[-host]:]container[-container][/protocol]`. @throws ANYPROC_INVALID_OPTION */
export function parsePort(text: string): PortMapping {
  const range = "\\d{1,5}(?:-\\d{1,5})?";
  const syntax = new RegExp(`^(?:(?:(\\[[0-9a-fA-F:.]+\\]|[0-9.]+):)?(${range})?:)?(${range})(?:/(\\w+))?$`);
  const [, address, host, container, protocol] = syntax.exec(text) ?? [];
  if (container === undefined) {
    throw invalid(text, "write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, with /udp where it is not tcp");
  }
  return {
    container,
    ...(host !== undefined && { host }),
    ...(address !== undefined && { hostAddress: address.replace(/^\[(.*)\]$/, "$1") }),
    ...(protocol !== undefined && { protocol: protocol.toLowerCase() as NonNullable<PortMapping["protocol"]> }),
  };
}

function portRange(range: number | string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(String(range)) ?? [];
  const from = Number(first);
  const to = Number(last);
  if (!(from >= 1 && to >= from && to <= 65_535)) throw invalid(range, "ports are 1 to 65535, ranges ascend");
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function rangeText(range: readonly number[] | undefined): string {
  if (!range) return "";
  return range.length === 1 ? String(range[0]) : `${range[0]}-${range.at(-1)}`;
}

function invalid(port: PortMapping | string | number, reason: string): Error {
  return invalidOption(`port ${typeof port === "object" ? JSON.stringify(port) : port}: ${reason}`);
}
