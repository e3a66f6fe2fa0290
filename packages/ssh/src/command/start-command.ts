import { once } from "node:events";
import { AnyprocError, type Command, type PtySize, programName, type RunningProgram } from "@anyproc/core";
import { CommandHeader, type Header, terminalInput } from "@anyproc/core/remote-shell";
import type { PseudoTtyOptions, TerminalModes } from "ssh2";
import type { Connection } from "../connection/connection.ts";
import type { SessionOptions } from "../options.ts";
import { commandLine } from "./command-line.ts";
import type { CommandOutput } from "./command-output.ts";
import { remoteControl, requestSignal } from "./remote-control.ts";
import { unlessGivenUp } from "./unless-given-up.ts";
import { type WatchedChannel, watchChannel } from "./watched-channel.ts";

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
  giveUp: AbortSignal,
): Promise<RunningProgram> {
  const header = new CommandHeader();
  const { line, preamble } = commandLine(command, session, header.key);
  const pty = command.pty ? terminal(command, session) : undefined;
  let abandoned: () => void = () => {};
  const watched = await connection.exec(line, { pty, signal: giveUp }, (channel) => {
    const watch = watchChannel(connection, channel, header, pty !== undefined, () => abandoned());
    if (preamble !== "") channel.write(preamble);
    return watch;
  });
  const { channel, exited, loseSight, stdout, stderr } = watched;
  const found = await unlessGivenUp(connection.answered(header.found), giveUp).catch((error) => {
    // There is no process id yet. The login shell may hang in its start-up files, or in the working directory.
    requestSignal(channel, "KILL");
    loseSight(error);
    throw error;
  });
  if (found.kind !== "started") throw await startFailure(connection, command, session, found, watched);

  const name = programName(command);
  const control = remoteControl(connection, { name, pid: found.pid, user: command.user, channel, exited, loseSight });
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
  const over = Promise.all([exited.catch((error: Error) => error), once(stdout, "end")]);
  const [exit] = await connection.answered(over);
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
