import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { AnyprocError } from "@anyproc/core";
import type { Client } from "ssh2";
import type { ConnectionSource } from "../connection/connection-source.ts";

/** A port that leads somewhere else until it is closed. */
export interface PortForward extends AsyncDisposable {
  /** Where connections are taken: on this machine for a local forward, on the server for a remote one. */
  readonly host: string;
  readonly port: number;
  /** Takes no more connections, and ends those that are open. Idempotent. */
  close(): Promise<void>;
}

/** Options of forwardLocal() and forwardRemote(). */
export interface ForwardOptions {
  /** Address to listen on. @default "127.0.0.1" */
  readonly listenHost?: string;
  /** Port to listen on. @default 0, any free one */
  readonly listenPort?: number;
  /** Where connections lead, as the other side resolves it. @default "127.0.0.1" */
  readonly host?: string;
  readonly port: number;
  /** Called when one connection cannot be carried on; the others go on. */
  readonly onError?: (error: Error) => void;
}

/** Listens here; the server connects on from there. */
export async function forwardLocal(source: ConnectionSource, options: ForwardOptions): Promise<PortForward> {
  const { listenHost = "127.0.0.1", listenPort = 0, host = "127.0.0.1", port, onError } = options;
  const open = new Set<Duplex>();
  // Each direction of a connection ends by itself.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    carry(socket, openChannel(source, socket, host, port), open, onError);
  });
  await listen(server, listenHost, listenPort);
  const address = server.address();
  return closable(listenHost, typeof address === "object" && address ? address.port : listenPort, async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const stream of open) stream.destroy();
    await closed;
  });
}

/** Lets the server listen; connections lead to this machine, or on from it. */
export async function forwardRemote(source: ConnectionSource, options: ForwardOptions): Promise<PortForward> {
  const { listenHost = "127.0.0.1", listenPort = 0, host = "127.0.0.1", port, onError } = options;
  const connection = await source.current();
  const { client, name } = connection;
  const binding = new Promise<number>((resolve, reject) => {
    client.forwardIn(listenHost, listenPort, (error, boundPort) => {
      if (error) reject(refused(`${name}: port ${listenPort} on ${listenHost}`, error));
      else resolve(boundPort || listenPort);
    });
  });
  const bound = await connection.answered(binding);
  const open = new Set<Duplex>();
  const onConnection: Parameters<typeof takeForwarded>[1] = (info, accept) => {
    if (info.destPort !== bound) return;
    carry(accept(), connectTo(host, port), open, onError);
  };
  takeForwarded(client, onConnection);
  return closable(listenHost, bound, async () => {
    client.off("tcp connection", onConnection);
    for (const stream of open) stream.destroy();
    const unbinding = new Promise<void>((resolve) => client.unforwardIn(listenHost, bound, () => resolve()));
    // A connection that is gone has taken its port with it.
    await connection.answered(unbinding).catch(() => {});
  });
}

function takeForwarded(
  client: Client,
  listener: (info: { readonly destPort: number }, accept: () => Duplex, reject: () => void) => void,
): void {
  client.on("tcp connection", listener);
}

async function openChannel(source: ConnectionSource, socket: Socket, host: string, port: number): Promise<Duplex> {
  const connection = await source.current();
  const opening = new Promise<Duplex>((resolve, reject) => {
    connection.client.forwardOut(
      socket.remoteAddress ?? "127.0.0.1",
      socket.remotePort ?? 0,
      host,
      port,
      (error, channel) => {
        if (error) reject(refused(`${host}:${port}`, error));
        else resolve(channel);
      },
    );
  });
  return connection.answered(opening);
}

function connectTo(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) => reject(refused(`${host}:${port}`, error)));
  });
}

/** Joins a stream with the one that is being opened for it; the end of one is the end of the other. */
function carry(near: Duplex, opening: Promise<Duplex>, open: Set<Duplex>, onError: ForwardOptions["onError"]): void {
  near.pause();
  track(near, open);
  opening.then(
    (far) => {
      track(far, open);
      near.once("close", () => finish(far));
      far.once("close", () => finish(near));
      if (near.destroyed) far.destroy();
      near.pipe(far);
      far.pipe(near);
    },
    (error: Error) => {
      near.destroy();
      onError?.(error);
    },
  );
}

function track(stream: Duplex, open: Set<Duplex>): void {
  open.add(stream);
  // Resets are everyday business of connections: "close" follows.
  stream.on("error", () => {});
  stream.once("close", () => open.delete(stream));
}

/** Ends a stream once it has taken what it was given. */
function finish(stream: Duplex): void {
  if (stream.writableFinished) {
    stream.destroy();
    return;
  }
  stream.once("finish", () => stream.destroy());
  if (!stream.writableEnded) stream.end();
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(refused(`port ${port} on ${host}`, error)));
    server.listen(port, host, resolve);
  });
}

function closable(host: string, port: number, end: () => Promise<void>): PortForward {
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= end();
    return closed;
  };
  return { host, port, close, [Symbol.asyncDispose]: close };
}

function refused(what: string, cause: Error): AnyprocError {
  return new AnyprocError(
    "ANYPROC_FORWARD_FAILED",
    `${what} cannot be forwarded (${cause.message}): is the port free, something behind it, and does the server allow ` +
      "forwarding (AllowTcpForwarding)?",
    { cause },
  );
}
