/** Certificates of a daemon that is reached over TLS, as PEM text. */
export interface DockerCertificates {
  /** Who signed the daemon's certificate. @default the authorities that Node.js trusts */
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

/** Which daemon to use. */
export interface DockerConnectionOptions {
  /**
   * Where the daemon listens: `unix:///run/docker.sock`, `tcp://host:2376`, `ssh://user@host`, `npipe:////./pipe/name`.
   *
   * @default `context`, DOCKER_HOST, DOCKER_CONTEXT, docker's current context, else the local socket
   */
  readonly host?: string;
  /** A context of docker(1) by its name. */
  readonly context?: string;
  /**
   * Speak TLS with a `tcp://` daemon: certificates, or a directory with `ca.pem`, `cert.pem` and `key.pem`.
   *
   * @default the context's; or, with DOCKER_TLS_VERIFY set, the files in DOCKER_CERT_PATH
   */
  readonly tls?: DockerCertificates | string;
  /** How long the daemon may take to answer the first time, in milliseconds. @default 20000 */
  readonly timeoutMs?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}
