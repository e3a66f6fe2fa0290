import { once } from "node:events";
import {
  AnyprocError,
  type Command,
  type ProgramExit,
  type PtySize,
  programName,
  type RunningProgram,
  type SignalName,
  signalNumber,
} from "@anyproc/core";
import { CommandHeader, type Header, terminalInput } from "@anyproc/core/remote-shell";
import type { ClientChannel, PseudoTtyOptions, TerminalModes } from "ssh2";
import type { Connection } from "../connection/connection.ts";
import type { SessionOptions } from "../options.ts";
import { commandLine } from "./command-line.ts";
import { CommandOutput } from "./command-output.ts";
import { remoteControl } from "./remote-control.ts";

/** Everything about a session that has to be watched from its very first event on. */
interface WatchedChannel {
  readonly channel: ClientChannel;
  readonly exited: Promise<ProgramExit>;
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput | null;
}

/**
 * Runs a command on a connection, and hands it over once the program has taken its shell's place.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED, ANYPROC_SESSION_REFUSED,
 * ANYPROC_CONNECTION_LOST
 */
export async function startCommand(
  connection: Connection,
  command: Command,
  session: SessionOptions,
): Promise<RunningProgram> {
  const header = new CommandHeader();
  const { line, preamble } = commandLine(command, session, header.key);
  const pty = command.pty ? terminal(command, session) : undefined;
  let abandoned: () => void = () => {};
  const watched = await connection.exec(line, { pty }, (channel) => {
    const watch = watchChannel(connection, channel, header, pty !== undefined, () => abandoned());
    if (preamble !== "") channel.write(preamble);
    return watch;
  });
  const { channel, exited, stdout, stderr } = watched;
  const found = await header.found;
  if (found.kind !== "started") throw await startFailure(connection, command, session, found, watched);

  const control = remoteControl(connection, channel, found.pid, exited, command.user);
  let hasEnded = false;
  abandoned = () => {
    // Reading has stopped: a local program would get SIGPIPE from its next write, or SIGHUP when its terminal is gone.
    abandoned = () => {};
    if (!hasEnded) void control.signal(pty ? "SIGHUP" : "SIGPIPE").catch(() => {});
  };
  const closeWhenUnread = (): void => {
    if (hasEnded && stdout.destroyed && (stderr?.destroyed ?? true)) channel.close();
  };
  exited
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
      closeWhenUnread();
    });
  stdout.once("close", () => {
    if (pty && !stdout.readableEnded) abandoned();
    closeWhenUnread();
  });
  stderr?.once("close", closeWhenUnread);

  const stdin = pty ? terminalInput(channel) : command.stdin === "null" ? null : channel;
  if (pty && command.stdin === "null") stdin?.end();
  return {
    stdin,
    stdout: command.stdout === "null" && !pty ? discard(stdout) : stdout,
    stderr: stderr && command.stderr === "null" ? discard(stderr) : stderr,
    exited,
    ...control,
    ...(pty && {
      resize: ({ columns, rows }: Required<PtySize>) => channel.setWindow(rows, columns, 0, 0),
    }),
  };
}

function watchChannel(
  connection: Connection,
  channel: ClientChannel,
  header: CommandHeader,
  hasPty: boolean,
  onAbandoned: () => void,
): WatchedChannel {
  const exited = new Promise<ProgramExit>((resolve, reject) => {
    const forget = connection.onLost(reject);
    channel.once("exit", (code: number | null, signal?: string) => {
      forget();
      // sshd(8) has no name for signals outside RFC 4254's list.
      const isKnown = signal !== undefined && signalNumber(signal) !== undefined;
      resolve({ code, signal: isKnown ? (signal as SignalName) : null });
    });
    channel.once("close", () => {
      forget();
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
    stdout: new CommandOutput(channel, hasPty ? header : undefined, onAbandoned),
    stderr: hasPty ? null : new CommandOutput(channel.stderr, header, onAbandoned),
  };
}

async function startFailure(
  connection: Connection,
  command: Command,
  session: SessionOptions,
  header: Exclude<Header, { kind: "started" }>,
  { exited, stdout, stderr }: WatchedChannel,
): Promise<Error> {
  let said = header.kind === "missing" ? header.text : "";
  stdout.on("data", (chunk: Buffer) => {
    if (said.length < 1024) said += chunk.toString("utf8");
  });
  stderr?.resume();
  const [exit] = await Promise.all([exited.catch((error: Error) => error), once(stdout, "end")]);
  if (exit instanceof Error) return exit;
  if (header.kind === "no-cwd") {
    const cwd = command.cwd ?? session.cwd;
    return new AnyprocError(
      "ANYPROC_CWD_NOT_FOUND",
      `${connection.name}: cwd ${cwd}: there is no such directory, or it may not be entered: create it, or change cwd`,
    );
  }
  const reason = said.trim().split("\n")[0] || `its shell ended with ${exit.code ?? exit.signal}`;
  const remedy =
    command.user === undefined ? "does this user have a POSIX shell there" : "does sudo let it without a password";
  return new AnyprocError(
    "ANYPROC_START_FAILED",
    `${connection.name}: ${programName(command)} was not started: ${reason}: ${remedy}?`,
  );
}

function terminal(command: Command, session: SessionOptions): PseudoTtyOptions & { modes?: TerminalModes } {
  const { columns = 80, rows = 24 } = typeof command.pty === "object" ? command.pty : {};
  const term = command.env?.["TERM"] ?? session.env?.["TERM"] ?? process.env["TERM"] ?? "xterm-256color";
  return {
    cols: columns,
    rows,
    width: 0,
    height: 0,
    term,
    ...(session.terminalModes && { modes: session.terminalModes as TerminalModes }),
  };
}

/** A stream that nobody will read, since the program's own leads to /dev/null. */
function discard(stream: CommandOutput): null {
  stream.resume();
  return null;
}
