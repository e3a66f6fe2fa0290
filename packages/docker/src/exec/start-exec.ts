import { posix } from "node:path";
import {
  AnyprocError,
  type Command,
  type ProgramExit,
  programName,
  type RunningProgram,
  unsupported,
} from "@anyproc/core";
import { CommandHeader, type Header } from "@anyproc/core/remote-shell";
import { programConfig, userText } from "../containers/program.ts";
import { cwdNotFound } from "../containers/start-failure.ts";
import { programInput } from "../streams/program-input.ts";
import { ProgramStreams } from "../streams/program-streams.ts";
import { runningProgram } from "../streams/running-program.ts";
import type { ContainerTarget } from "./container-target.ts";
import { execControl, noControl } from "./exec-control.ts";
import { execExit } from "./exec-exit.ts";
import { execScript } from "./exec-script.ts";
import { openExec } from "./open-exec.ts";
import type { ContainerOptions } from "./options.ts";

/**
 * Runs a command in a running container, and hands it over once the program has taken its shell's place.
 *
 * @throws ANYPROC_CWD_NOT_FOUND, ANYPROC_ARGUMENTS_TOO_LONG, ANYPROC_START_FAILED, ANYPROC_CONTAINER_NOT_RUNNING,
 * ANYPROC_UNSUPPORTED for additionalGids, and what DockerConnection.request() throws
 */
export async function startExec(
  target: ContainerTarget,
  command: Command,
  options: ContainerOptions,
): Promise<RunningProgram> {
  const { name, workdir, hasShell } = target;
  const { pty, stdin } = command;
  const user = command.user ?? options.user;
  if (typeof user === "object" && user.additionalGids?.length) {
    throw unsupported(`docker:${name}`, "additionalGids", "name a user who has those groups in the container");
  }
  const header = hasShell ? new CommandHeader() : undefined;
  const wantedCwd = command.cwd ?? options.cwd;
  const cwd = wantedCwd === undefined ? undefined : posix.resolve(workdir, wantedCwd);
  const { argv, env, removed } = programConfig(command, options.env ?? {}, target.variables);
  const { exec, socket } = await openExec(target, {
    Cmd: header ? ["/bin/sh", "-c", execScript(command, cwd, header.key, removed), ...argv] : argv,
    // podman refuses what has no value; the shell takes these away too.
    Env: header ? env.filter((variable) => variable.includes("=")) : env,
    AttachStdin: stdin !== "null" || Boolean(pty),
    Tty: Boolean(pty),
    ...(user !== undefined && { User: userText(user) }),
    ...(!header && cwd !== undefined && { WorkingDir: cwd }),
  });
  const streams = new ProgramStreams(socket, Boolean(pty), header);
  const input = programInput(command, socket);
  let lose: (error: Error) => void = () => {};
  const lost = new Promise<never>((_resolve, reject) => {
    lose = reject;
  });
  const exited = Promise.race([execExit(target, exec, streams), lost]);
  exited.catch(() => socket.destroy());
  const found = await header?.found;
  if (found && found.kind !== "started") throw await startFailure(target, command, cwd, found, exited);
  const control = found ? execControl(target, found.pid, exited) : noControl(target, lose);
  return runningProgram({
    command,
    stdin: input,
    streams,
    exited,
    ...control,
    async resize({ columns, rows }) {
      await target.connection.request(name, () => exec.resize({ w: columns, h: rows })).catch(() => {});
    },
  });
}

async function startFailure(
  target: ContainerTarget,
  command: Command,
  cwd: string | undefined,
  header: Exclude<Header, { kind: "started" }>,
  exited: Promise<ProgramExit>,
): Promise<Error> {
  if (header.kind === "no-cwd") return cwdNotFound(target.name, cwd);
  const exit = await exited.catch((error: Error) => error);
  if (exit instanceof Error) return exit;
  const reason = header.text.split("\n")[0] || `the shell that starts it ended with ${exit.code ?? exit.signal}`;
  return new AnyprocError(
    "ANYPROC_START_FAILED",
    `${target.name}: ${programName(command)} was not started: ${reason}: does the user exist there, and does /bin/sh work?`,
  );
}
