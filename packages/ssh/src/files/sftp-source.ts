import type { SFTPWrapper } from "ssh2";
import type { AnswerWatch } from "../connection/answer-watch.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionSource } from "../connection/connection-source.ts";
import { connectionLost } from "../errors.ts";
import { explain } from "./sftp-error.ts";
import { hasEnded, refuseRequests } from "./sftp-request.ts";

/** The session, for a while. */
export interface LentSftp {
  readonly sftp: SFTPWrapper;
  readonly release: () => void;
  /** What went wrong, as node:fs would say it. */
  readonly explained: (error: unknown, syscall: string, path: string) => Promise<Error>;
}

/** The SFTP session that files are reached by: opened when first used, and given back when sessions are scarce. */
export class SftpSource {
  readonly #source: ConnectionSource;
  #connection: Connection | undefined;
  #opening: Promise<SFTPWrapper> | undefined;
  #users = 0;

  constructor(source: ConnectionSource) {
    this.#source = source;
  }

  /**
   * Lends the session until it is released.
   *
   * @throws ANYPROC_SESSION_REFUSED where the server has no SFTP, ANYPROC_CONNECTION_LOST
   */
  async borrow(): Promise<LentSftp> {
    this.#users += 1;
    let watch: AnswerWatch | undefined;
    let isLent = true;
    const release = (): void => {
      if (!isLent) return;
      isLent = false;
      this.#users -= 1;
      watch?.leave();
    };
    try {
      const connection = await this.#source.current();
      const sftp = await this.#open(connection);
      watch = connection.watch;
      watch.enter();
      const explained = async (error: unknown, syscall: string, path: string): Promise<Error> =>
        connection.lost ??
        (hasEnded(sftp) ? connectionLost(connection.name, error) : explain(sftp, error, syscall, path));
      return { sftp, release, explained };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Lends the session for one piece of work about one path. */
  async use<T>(syscall: string, path: string, work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    const { sftp, release, explained } = await this.borrow();
    try {
      return await work(sftp);
    } catch (error) {
      throw await explained(error, syscall, path);
    } finally {
      release();
    }
  }

  #open(connection: Connection): Promise<SFTPWrapper> {
    if (this.#connection !== connection) {
      this.#connection = connection;
      this.#opening = undefined;
      connection.onPressure(() => this.#giveBack());
    }
    this.#opening ??= connection.sftp().then(
      (sftp) => {
        sftp.on("error", () => {});
        sftp.once("close", () => {
          refuseRequests(sftp);
          this.#forget(connection);
        });
        return sftp;
      },
      (error) => {
        this.#forget(connection);
        throw error;
      },
    );
    return this.#opening;
  }

  #giveBack(): void {
    if (this.#users > 0 || !this.#opening) return;
    const opened = this.#opening;
    this.#opening = undefined;
    void opened.then(
      (sftp) => sftp.end(),
      () => {},
    );
  }

  #forget(connection: Connection): void {
    if (this.#connection === connection) this.#opening = undefined;
  }
}
