import type { EndOptions, ProgramExit, SignalName, UserIds } from "@anyproc/core";
import { AnyprocError, quoteForShell } from "@anyproc/core";
import { endScript } from "@anyproc/core/remote-shell";
import type { ClientChannel } from "ssh2";
import type { Connection } from "../connection/connection.ts";
import type { SlotOptions } from "../connection/session-slots.ts";
import { sudo } from "./command-line.ts";

/** Signals to a remote program and its end. */
export interface RemoteControl {
  signal(name: SignalName): Promise<void>;
  end(options: EndOptions): Promise<void>;
}

// RFC 4254, 6.10: the signals that a channel request can carry.
const channelSignals: ReadonlySet<string> = new Set(
  ["ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"].map(
    (name) => `SIG${name}`,
  ),
);

/** The program that is controlled. */
export interface ControlledProgram {
  readonly name: string;
  readonly pid: number;
  readonly user: UserIds | string | undefined;
  readonly channel: ClientChannel;
  readonly exited: Promise<ProgramExit>;
  /** Says that nobody will learn how it ended. */
  readonly loseSight: (reason: Error) => void;
}

/**
 * Controls a program by its process id, from another session: that reaches the program alone, and needs nothing of the
 * server. When all sessions are in use, and for no other reason, the channel's own request is sent: servers may ignore
 * it, and OpenSSH gives it to the whole process group.
 */
export function remoteControl(connection: Connection, program: ControlledProgram): RemoteControl {
  const { channel, pid, user } = program;
  let hasExited = false;
  const over = program.exited
    .catch(() => {})
    .then(() => {
      hasExited = true;
    });

  function run(script: string, slot: SlotOptions): Promise<void> {
    const line = `exec ${user === undefined ? "" : `${sudo(user)} `}/bin/sh -c ${quoteForShell(script)}`;
    return connection.exec(line, { ...slot, isUrgent: true }, closed).then((done) => connection.answered(done.promise));
  }

  async function signal(name: SignalName): Promise<void> {
    if (hasExited) return;
    const bare = name.slice("SIG".length);
    const isChannelSignal = channelSignals.has(name) && user === undefined;
    try {
      await run(`kill -s ${bare} ${pid}`, { mayWait: !isChannelSignal });
    } catch (error) {
      if (connection.lost) throw error;
      requestSignal(channel, bare);
    }
  }

  async function end({ killSignal, forceKillAfterMs }: EndOptions): Promise<void> {
    try {
      await run(endScript(pid, killSignal, forceKillAfterMs), { mayWait: false });
    } catch {
      if (!connection.lost) await endWithoutSession(killSignal, forceKillAfterMs);
    }
    await within(connection.timeoutMs, connection.answered(over));
    if (!hasExited) program.loseSight(connection.lost ?? stillRunning(connection.name, program));
  }

  /** The program's own session is the one that can be freed: by ending the program. */
  async function endWithoutSession(killSignal: SignalName, forceKillAfterMs: number): Promise<void> {
    if (channelSignals.has(killSignal)) requestSignal(channel, killSignal.slice("SIG".length));
    await within(forceKillAfterMs, over);
    if (!hasExited) requestSignal(channel, "KILL");
    await within(connection.timeoutMs, connection.answered(over));
    if (!hasExited) return;
    channel.close();
    await run(endScript(pid, "SIGKILL", 0), { mayWait: true }).catch(() => {});
  }

  return { signal, end };
}

function stillRunning(server: string, { name, pid, user }: ControlledProgram): AnyprocError {
  return new AnyprocError(
    "ANYPROC_STILL_RUNNING",
    `${server}: ${name} (process ${pid}) still runs there, although it was to be ended by SIGKILL: ` +
      `${user === undefined ? "has it become another user's" : "may sudo run kill as that user"}? End it on the server`,
  );
}

/** Resolves when something is over, or has failed, or at the latest after so long. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}

/** Resolves when a session that says nothing is over. In a box, so that opening the session can be told from its end. */
function closed(channel: ClientChannel): { readonly promise: Promise<void> } {
  channel.resume();
  channel.stderr.resume();
  channel.end();
  return { promise: new Promise((resolve) => channel.once("close", resolve)) };
}

/** ssh2's own signal() does nothing once stdin has ended, though the request is as valid then. */
export function requestSignal(channel: ClientChannel, name: string): void {
  if (channel.writable) {
    channel.signal(name);
    return;
  }
  const internals = channel as unknown as {
    readonly outgoing: { readonly id: number; readonly state: string };
    readonly _client: { readonly _protocol: { signal(id: number, name: string): void } };
  };
  if (internals.outgoing.state === "eof") internals._client._protocol.signal(internals.outgoing.id, name);
}
