export { connectDocker, type DaemonFacts, type DockerConnection } from "./connection/connect.ts";
export type { DockerCertificates, DockerConnectionOptions } from "./connection/options.ts";
