import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Client } from "ssh2";
import { connectionLost, connectionTimeout, hostUnreachable } from "../errors.ts";
import { authenticator } from "./authentication.ts";
import type { Destination } from "./destination.ts";
import { gatherWrites } from "./gather-writes.ts";
import { hostKeyVerifier } from "./host-keys.ts";
import { SilenceTimer } from "./silence-timer.ts";

/** How a connection is made, once it is clear where to. */
export interface ConnectSettings {
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A client that is connected. */
export interface Connected {
  readonly client: Client;
  /** What the server's bytes come by. */
  readonly transport: Duplex;
  /** Lets go of the network at once, whatever the other side does. */
  readonly hangUp: () => void;
}

/**
 * Connects along a route: each host carries the connection to the next one. Ending the last client ends them all.
 *
 * @throws ANYPROC_HOST_UNREACHABLE, ANYPROC_CONNECTION_TIMEOUT, ANYPROC_HOST_KEY_UNKNOWN and its kin,
 * ANYPROC_AUTHENTICATION_FAILED, ANYPROC_PRIVATE_KEY_INVALID; the signal's reason
 */
export async function connectRoute(
  [first, ...others]: readonly [Destination, ...Destination[]],
  settings: ConnectSettings,
): Promise<Connected> {
  let socket: Socket | undefined;
  const hangUp = (): void => void socket?.destroy();
  const open = (): Socket => {
    socket = openSocket(first);
    return socket;
  };
  try {
    let { client, transport } = await connectClient(first, open, settings);
    for (const destination of others) {
      const carrier = client;
      const tunnel = await openTunnel(carrier, destination, settings);
      ({ client, transport } = await connectClient(destination, () => tunnel, settings));
      client.once("close", () => carrier.end());
    }
    return { client, transport, hangUp };
  } catch (error) {
    hangUp();
    throw error;
  }
}

function openTunnel(
  carrier: Client,
  destination: Destination,
  { timeoutMs, signal }: ConnectSettings,
): Promise<Duplex> {
  const name = `${destination.name} (through a jump host)`;
  return new Promise<Duplex>((resolve, reject) => {
    const silence = setTimeout(() => fail(connectionTimeout(name, timeoutMs)), timeoutMs);
    const onAbort = (): void => fail(signal?.reason);
    function settle(): void {
      clearTimeout(silence);
      signal?.removeEventListener("abort", onAbort);
    }
    function fail(error: unknown): void {
      settle();
      reject(error);
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    carrier.forwardOut("127.0.0.1", 0, destination.host, destination.port, (error, stream) => {
      if (error) {
        fail(hostUnreachable(name, error));
        return;
      }
      settle();
      resolve(stream);
    });
  });
}

async function connectClient(
  destination: Destination,
  open: () => Duplex,
  { timeoutMs, keepAliveMs, signal }: ConnectSettings,
): Promise<Omit<Connected, "hangUp">> {
  signal?.throwIfAborted();
  const [hostKey, entry] = await Promise.all([hostKeyVerifier(destination.hostKey), authenticator(destination)]);
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const socket = open();
    let refusal: unknown;
    let isAuthenticating = false;
    let remembering = Promise.resolve();
    const silence = new SilenceTimer(timeoutMs, () => fail(connectionTimeout(destination.name, timeoutMs)));
    const onAbort = (): void => fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });

    function settle(): void {
      silence.stop();
      socket.off("data", silence.hear);
      signal?.removeEventListener("abort", onAbort);
    }
    function fail(error: unknown): void {
      settle();
      client.on("error", () => {});
      client.destroy();
      socket.destroy();
      reject(error);
    }

    client.on("error", (error: Error & { level?: string }) => {
      // An agent that is not there is one way in less, nothing more.
      if (error.level === "agent") return;
      if (refusal !== undefined) fail(refusal);
      else if (isAuthenticating) fail(entry.failure(error));
      else fail(hostUnreachable(destination.name, error));
    });
    client.once("close", () =>
      fail(refusal ?? (isAuthenticating ? entry.failure(undefined) : connectionLost(destination.name))),
    );
    client.once("handshake", () => {
      remembering = hostKey.remember();
      remembering.catch(fail);
    });
    client.once("ready", () => {
      const enter = (): void => {
        settle();
        client.removeAllListeners("error").removeAllListeners("close");
        // An error is followed by "close"; on a jump host nobody else listens.
        client.on("error", () => {});
        resolve({ client, transport: socket });
      };
      remembering.then(enter, () => {});
    });
    client.connect({
      sock: socket,
      username: destination.user,
      readyTimeout: 0,
      keepaliveInterval: keepAliveMs,
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: hostKey.algorithms },
      hostVerifier: (key: Buffer, verify: (isValid: boolean) => void) => {
        const verified = silence.pauseFor(() => hostKey.verify(key));
        verified.then(
          () => verify(true),
          (error) => {
            refusal = error;
            verify(false);
          },
        );
      },
      authHandler: (accepted, _partial, next) => {
        isAuthenticating = true;
        entry.next(accepted, silence).then((method) => next(method as never), fail);
      },
    });
    // Not before the client listens, or the banner would be lost to it.
    socket.on("data", silence.hear);
  });
}

function openSocket(destination: Destination): Socket {
  const socket = connectTcp({ host: destination.host, port: destination.port });
  gatherWrites(socket);
  // Without this, Nagle's algorithm holds each command's small packets back for tens of milliseconds.
  socket.setNoDelay(true);
  return socket;
}
