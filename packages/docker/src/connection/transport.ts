import http from "node:http";
import https from "node:https";
import { inspect } from "node:util";
import type { DockerOptions } from "dockerode";
import type { Endpoint } from "./endpoint.ts";
import type { Transport } from "./open-request.ts";
import { SshSocket } from "./ssh-transport.ts";

/** The transport to an endpoint, in node:http's words and in dockerode's. */
export interface Transports {
  readonly own: Transport;
  readonly dockerode: DockerOptions;
  close(): void;
}

// dockerode fills what is left out from DOCKER_HOST.
const unset = { host: undefined, port: undefined, socketPath: undefined, pathPrefix: undefined } as object;

export function transportsTo(endpoint: Endpoint): Transports {
  if (endpoint.kind === "socket") {
    // A local connection costs nothing: none is kept.
    const agent = terse(new http.Agent({ keepAlive: false }));
    const options = { socketPath: endpoint.path, agent };
    return {
      own: { protocol: "http", options },
      dockerode: { ...unset, protocol: "http", ...options },
      close: () => agent.destroy(),
    };
  }
  if (endpoint.kind === "ssh") {
    const agent = terse(new http.Agent({ keepAlive: true }));
    agent.createConnection = () => new SshSocket(endpoint);
    const options = { host: "docker", port: 80, agent };
    return {
      own: { protocol: "http", options },
      dockerode: { ...unset, protocol: "http", ...options },
      close: () => agent.destroy(),
    };
  }
  const { host, port, certificates } = endpoint;
  if (!certificates) {
    const agent = terse(new http.Agent({ keepAlive: true, noDelay: true }));
    const options = { host, port, agent };
    return {
      own: { protocol: "http", options },
      dockerode: { ...unset, protocol: "http", ...options },
      close: () => agent.destroy(),
    };
  }
  const { verify = true, ...pem } = certificates;
  const agent = terse(new https.Agent({ keepAlive: true, noDelay: true, rejectUnauthorized: verify, ...pem }));
  const options = { host, port, agent };
  return {
    own: { protocol: "https", options },
    dockerode: { ...unset, protocol: "https", ...options },
    close: () => agent.destroy(),
  };
}

/**
 * dockerode describes every request for its debug log, whether or not there is one: with an agent, that is every open
 * socket, to any depth, which takes longer than most requests.
 */
function terse<Agent extends http.Agent>(agent: Agent): Agent {
  return Object.assign(agent, { [inspect.custom]: () => "Agent" });
}
