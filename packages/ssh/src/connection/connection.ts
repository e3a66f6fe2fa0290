import { AnyprocError } from "@anyproc/core";
import type { Client, ClientChannel, ClientErrorExtensions, PseudoTtyOptions, SFTPWrapper } from "ssh2";
import { connectionLost } from "../errors.ts";
import { RefusedSession, SessionSlots, type SlotOptions } from "./session-slots.ts";

/** Options of Connection.exec(). */
export interface ExecChannelOptions extends SlotOptions {
  readonly pty?: PseudoTtyOptions | undefined;
}

interface Opened {
  once(event: "close", listener: () => void): unknown;
}

// How long the server may take to close its side of a connection that has been ended.
const goodbyeMs = 1000;

/** One live connection to a server, and the sessions on it. */
export class Connection {
  readonly name: string;
  readonly client: Client;
  readonly slots: SessionSlots;
  readonly #onPressure: Set<() => void> = new Set();
  readonly #onLost: Set<(error: AnyprocError) => void> = new Set();
  #cause: Error | undefined;
  #lost: AnyprocError | undefined;
  #isEnding = false;

  constructor(name: string, client: Client) {
    this.name = name;
    this.client = client;
    this.slots = new SessionSlots(() => {
      for (const callback of this.#onPressure) callback();
    });
    client.on("error", (error) => {
      this.#cause ??= error;
    });
    client.once("close", () => this.#lose());
  }

  /** Why nothing runs here any more; undefined while the connection lives. */
  get lost(): AnyprocError | undefined {
    return this.#lost;
  }

  /** Calls back when the connection ends; the returned function takes that back. */
  onLost(callback: (error: AnyprocError) => void): () => void {
    this.#onLost.add(callback);
    return () => this.#onLost.delete(callback);
  }

  /** Is called when sessions are scarce, so that idle ones can be given back. */
  onPressure(callback: () => void): void {
    this.#onPressure.add(callback);
  }

  /** Runs a command line in a session of its own. `use` is called before any of the session's events. */
  exec<T>(commandLine: string, options: ExecChannelOptions, use: (channel: ClientChannel) => T): Promise<T> {
    return this.#open<ClientChannel, T>(
      (callback) => this.client.exec(commandLine, options.pty ? { pty: options.pty } : {}, callback),
      use,
      options,
    );
  }

  /** Opens a session that speaks SFTP. */
  sftp(): Promise<SFTPWrapper> {
    return this.#open<SFTPWrapper, SFTPWrapper>(
      (callback) => this.client.sftp(callback),
      (sftp) => sftp,
      {},
    );
  }

  /** Says goodbye, and waits until the connection is closed. */
  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#lost) return;
    const closed = new Promise<void>((resolve) => this.client.once("close", resolve));
    this.client.end();
    // A server that is out of reach never closes its side. ssh2's own destroy() does nothing after end().
    const { _sock: socket } = this.client as unknown as { readonly _sock?: { destroy(): void } };
    const patience = setTimeout(() => socket?.destroy(), goodbyeMs);
    await closed;
    clearTimeout(patience);
  }

  #open<C extends Opened, T>(
    request: (callback: (error: Error | undefined, opened: C) => void) => void,
    use: (opened: C) => T,
    options: SlotOptions,
  ): Promise<T> {
    return this.slots.open(
      (release) =>
        new Promise<T>((resolve, reject) => {
          if (this.#lost) {
            reject(this.#lost);
            return;
          }
          try {
            request((error, opened) => {
              if (error) {
                reject(this.#lost ?? this.#refusal(error));
                return;
              }
              opened.once("close", release);
              resolve(use(opened));
            });
          } catch (error) {
            // ssh2 throws when its socket is about to close.
            reject(this.#lost ?? connectionLost(this.name, error));
          }
        }),
      options,
    );
  }

  #refusal(error: Error & ClientErrorExtensions & { reason?: number | string }): Error {
    if (error.reason === undefined && /No response from server/.test(error.message)) return connectionLost(this.name);
    const message = `${this.name}: the server refused a session (${error.message})`;
    if (error.reason !== undefined) return new RefusedSession(`${message}: end others first`, error);
    return new AnyprocError("ANYPROC_SESSION_REFUSED", `${message}: may this user run commands there?`, {
      cause: error,
    });
  }

  #lose(): void {
    this.#lost ??= this.#isEnding
      ? new AnyprocError("ANYPROC_CLOSED", `${this.name}: the connection is closed`)
      : connectionLost(this.name, this.#cause);
    this.slots.close(this.#lost);
    for (const callback of this.#onLost) callback(this.#lost);
  }
}
