import { AnyprocError } from "@anyproc/core";
import type { Client, ClientChannel, ClientErrorExtensions, PseudoTtyOptions, SFTPWrapper } from "ssh2";
import { connectionLost } from "../errors.ts";
import { AnswerWatch } from "./answer-watch.ts";
import type { Connected } from "./connect.ts";
import { RefusedSession, SessionSlots, type SlotOptions } from "./session-slots.ts";

/** Options of Connection.exec(). */
export interface ExecChannelOptions extends SlotOptions {
  readonly pty?: PseudoTtyOptions | undefined;
}

interface Opened {
  once(event: "close", listener: () => void): unknown;
}

/** How a session is opened. */
interface Opening<C extends Opened, T> {
  readonly request: (callback: (error: Error | undefined, opened: C) => void) => void;
  readonly use: (opened: C) => T;
  /** Ends what was opened too late, when it had been given up. */
  readonly abandon: (opened: C) => void;
}

// How long the server may take to close its side of a connection that has been ended.
const goodbyeMs = 1000;

/** One live connection to a server, and the sessions on it. */
export class Connection {
  readonly name: string;
  readonly client: Client;
  readonly slots: SessionSlots;
  /** How long the server may stay silent while it is waited for. */
  readonly timeoutMs: number;
  /** Ends the connection when the server says nothing for too long while somebody waits for it. */
  readonly watch: AnswerWatch;
  readonly #onPressure: Set<() => void> = new Set();
  readonly #onLost: Set<(error: AnyprocError) => void> = new Set();
  readonly #hangUp: () => void;
  #cause: Error | undefined;
  #lost: AnyprocError | undefined;
  #isEnding = false;

  constructor(name: string, { client, transport, hangUp }: Connected, timeoutMs: number) {
    this.name = name;
    this.#hangUp = hangUp;
    this.client = client;
    // Each remote forward listens for its own connections.
    client.setMaxListeners(0);
    this.timeoutMs = timeoutMs;
    this.watch = new AnswerWatch({
      timeoutMs,
      ping: () => ping(client),
      onSilence: () => this.#giveUp(new Error(`it has not answered for ${timeoutMs} ms`)),
    });
    transport.on("data", this.watch.hear);
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

  /**
   * Waits for something that the server has to answer. When it says nothing at all for too long, the connection is lost.
   *
   * @throws ANYPROC_CONNECTION_LOST
   */
  async answered<T>(work: Promise<T>): Promise<T> {
    let forget: (() => void) | undefined;
    const lost = new Promise<never>((_resolve, reject) => {
      if (this.#lost) reject(this.#lost);
      else forget = this.onLost(reject);
    });
    this.watch.enter();
    try {
      return await Promise.race([lost, work]);
    } finally {
      this.watch.leave();
      forget?.();
    }
  }

  /** Is called when sessions are scarce, so that idle ones can be given back. */
  onPressure(callback: () => void): void {
    this.#onPressure.add(callback);
  }

  /** Runs a command line in a session of its own. `use` is called before any of the session's events. */
  exec<T>(commandLine: string, options: ExecChannelOptions, use: (channel: ClientChannel) => T): Promise<T> {
    const opening: Opening<ClientChannel, T> = {
      request: (callback) => this.client.exec(commandLine, options.pty ? { pty: options.pty } : {}, callback),
      use,
      abandon: (channel) => {
        channel.signal("KILL");
        channel.close();
      },
    };
    return this.#open(opening, options);
  }

  /** Opens a session that speaks SFTP. */
  sftp(): Promise<SFTPWrapper> {
    const opening: Opening<SFTPWrapper, SFTPWrapper> = {
      request: (callback) => this.client.sftp(callback),
      use: (sftp) => sftp,
      abandon: (sftp) => sftp.end(),
    };
    return this.#open(opening, {});
  }

  /** Says goodbye, and waits until the connection is closed. */
  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#lost) return;
    const closed = new Promise<void>((resolve) => this.onLost(() => resolve()));
    this.client.end();
    // A server that is out of reach never closes its side.
    const patience = setTimeout(() => this.#giveUp(), goodbyeMs);
    await closed;
    clearTimeout(patience);
  }

  #giveUp(cause?: Error): void {
    this.#cause ??= cause;
    this.#hangUp();
    this.#lose();
  }

  #open<C extends Opened, T>({ request, use, abandon }: Opening<C, T>, options: SlotOptions): Promise<T> {
    const { signal } = options;
    const attempt = (release: () => void): Promise<T> =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => reject(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        try {
          request((error, opened) => {
            signal?.removeEventListener("abort", onAbort);
            if (error) {
              reject(this.#lost ?? this.#refusal(error));
              return;
            }
            if (signal?.aborted) {
              abandon(opened);
              return;
            }
            opened.once("close", release);
            resolve(use(opened));
          });
        } catch (error) {
          // ssh2 throws when its socket is about to close.
          reject(this.#lost ?? connectionLost(this.name, error));
        }
      });
    return this.slots.open((release) => this.answered(attempt(release)), options);
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
    if (this.#lost) return;
    this.#lost = this.#isEnding
      ? new AnyprocError("ANYPROC_CLOSED", `${this.name}: the connection is closed`)
      : connectionLost(this.name, this.#cause);
    this.slots.close(this.#lost);
    for (const callback of this.#onLost) callback(this.#lost);
  }
}

/** A request that every server answers (RFC 4254, 4), by no: it is about a port that nobody has asked for. */
function ping(client: Client): void {
  try {
    client.unforwardIn("", 0, () => {});
  } catch {
    // Its socket is about to close.
  }
}
