import { setTimeout as delay } from "node:timers/promises";
import { AnyprocError } from "@anyproc/core";
import type { ReconnectOptions } from "../options.ts";
import type { Connection } from "./connection.ts";

/** How a lost connection is replaced. */
export interface Reconnection extends ReconnectOptions {
  /** @throws the signal's reason */
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
}

// Trying again cannot help against these.
const finalCodes: ReadonlySet<string> = new Set([
  "ANYPROC_AUTHENTICATION_FAILED",
  "ANYPROC_HOST_KEY_CHANGED",
  "ANYPROC_HOST_KEY_REVOKED",
  "ANYPROC_HOST_KEY_UNKNOWN",
  "ANYPROC_PRIVATE_KEY_INVALID",
]);

/** The connection that new work goes to: the first one or, once that is lost, another in its place. */
export class ConnectionSource {
  #connection: Connection;
  readonly #reconnection: Reconnection | undefined;
  #replacing: Promise<Connection> | undefined;
  readonly #closed: AbortController = new AbortController();

  constructor(first: Connection, reconnection: Reconnection | undefined) {
    this.#connection = first;
    this.#reconnection = reconnection;
  }

  /** @throws ANYPROC_CONNECTION_LOST, or what the last attempt to connect again threw */
  async current(): Promise<Connection> {
    const { lost } = this.#connection;
    if (!lost) return this.#connection;
    if (!this.#reconnection || this.#closed.signal.aborted) throw lost;
    this.#replacing ??= this.#replace(this.#reconnection).finally(() => {
      this.#replacing = undefined;
    });
    return this.#replacing;
  }

  /** The connection as it is, live or lost. */
  get latest(): Connection {
    return this.#connection;
  }

  async close(): Promise<void> {
    const { name } = this.#connection;
    this.#closed.abort(new AnyprocError("ANYPROC_CLOSED", `${name}: the environment is closed: make another one`));
    await this.#replacing?.catch(() => {});
    await this.#connection.end();
  }

  async #replace({ connect, attempts = 5, delayMs = 200, maxDelayMs = 10_000 }: Reconnection): Promise<Connection> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#connection = await connect(this.#closed.signal);
        return this.#connection;
      } catch (error) {
        this.#closed.signal.throwIfAborted();
        const isFinal = error instanceof AnyprocError && finalCodes.has(error.code);
        if (isFinal || attempt >= attempts) throw error;
        await delay(Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)), undefined, {
          signal: this.#closed.signal,
        }).catch(() => {
          throw error;
        });
      }
    }
  }
}
