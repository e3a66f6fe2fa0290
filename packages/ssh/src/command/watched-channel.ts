import { AnyprocError, type ProgramExit, type SignalName, signalNumber } from "@anyproc/core";
import type { CommandHeader } from "@anyproc/core/remote-shell";
import type { ClientChannel } from "ssh2";
import type { Connection } from "../connection/connection.ts";
import { CommandOutput } from "./command-output.ts";

/** Everything about a session that has to be watched from its very first event on. */
export interface WatchedChannel {
  readonly channel: ClientChannel;
  readonly exited: Promise<ProgramExit>;
  /** Says that nobody will learn how the program ended, and closes the session. */
  readonly loseSight: (reason: Error) => void;
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput | null;
}

/** @param onAbandoned called when the program writes although nobody reads any more */
export function watchChannel(
  connection: Connection,
  channel: ClientChannel,
  header: CommandHeader,
  hasPty: boolean,
  onAbandoned: () => void,
): WatchedChannel {
  let loseSight: (reason: Error) => void = () => {};
  let isOver = false;
  const exited = new Promise<ProgramExit>((resolve, reject) => {
    const forget = connection.onLost(reject);
    loseSight = (reason) => {
      forget();
      reject(reason);
      channel.close();
    };
    channel.once("exit", (code: number | null, signal?: string) => {
      isOver = true;
      forget();
      // sshd(8) has no name for signals outside RFC 4254's list.
      const isKnown = signal !== undefined && signalNumber(signal) !== undefined;
      resolve({ code, signal: isKnown ? (signal as SignalName) : null });
    });
    channel.once("close", () => {
      forget();
      if (isOver) return;
      reject(
        connection.lost ??
          new AnyprocError(
            "ANYPROC_CONNECTION_LOST",
            `${connection.name}: the server closed the session without saying how the program ended`,
          ),
      );
    });
  });
  exited.catch(() => {});
  // A failed write means that the session is over, which "close" tells better.
  channel.on("error", () => {});
  return {
    channel,
    exited,
    loseSight,
    stdout: new CommandOutput(channel, hasPty ? header : undefined, onAbandoned),
    stderr: hasPty ? null : new CommandOutput(channel.stderr, header, onAbandoned),
  };
}
