import { AnyprocError, type Command, type ProgramExit, type RunningProgram } from "@anyproc/core";
import type Docker from "dockerode";
import type { DockerConnection } from "../connection/connect.ts";
import { programInput } from "../streams/program-input.ts";
import { ProgramStreams } from "../streams/program-streams.ts";
import { runningProgram } from "../streams/running-program.ts";
import { containerControl } from "./container-control.ts";
import { connectionLost, containerExit } from "./container-exit.ts";
import { sizeOf } from "./program.ts";
import { removeContainer } from "./removal.ts";
import type { ContainerSource } from "./start-container.ts";
import { watchContainer } from "./watch-container.ts";

// The end of the output and the news of the exit travel apart; this long they may be out of step, in milliseconds.
const newsDelayMs = 2000;

/**
 * Starts a container that was made. Streams are attached, and the end is waited for, before the start: so nothing of
 * either can be missed, however short the program is, and however soon the daemon removes the container.
 */
export async function runContainer(
  source: ContainerSource,
  command: Command,
  container: Docker.Container,
): Promise<RunningProgram> {
  const { connection, template } = source;
  const { AutoRemove = false, Init = true } = template.HostConfig;
  const hasTerminal = Boolean(command.pty);
  const { socket, answer, abandon } = await watchContainer(connection, container.id, {
    hasInput: command.stdin !== "null" || hasTerminal,
    // A container's name is free for the next one only when it has been removed.
    condition: template.name !== undefined && AutoRemove ? "removed" : "next-exit",
  });
  const streams = new ProgramStreams(socket, hasTerminal);
  const stdin = programInput(command, socket);
  try {
    await connection.request(template.name ?? container.id, () => container.start());
  } catch (error) {
    abandon();
    throw error;
  }
  const exited = untilLost(connection, container, streams, containerExit(connection, answer)).then(
    async (exit) => {
      await checkArchitecture(source, streams, exit);
      return settle(source, container, exit);
    },
    async (error: unknown) => {
      abandon();
      // Nobody can use it any more; where there is no daemon, sweepContainers() finds it later.
      if (source.autoRemove) await removeContainer(connection, container.id).catch(() => {});
      throw error;
    },
  );
  const control = containerControl(connection, container.id, exited, Init);
  // For images without stty(1). podman's monitor (conmon, read_from_ctrl_buffer()) takes two sizes that it reads at once
  // for the first one twice: this one, and one that the caller gives soon.
  if (command.pty && connection.daemon.engine === "docker") await control.resize(sizeOf(command.pty));
  return runningProgram({ command, stdin, streams, exited, ...control });
}

/** The exit, unless the streams are cut off while the program runs on. */
async function untilLost(
  connection: DockerConnection,
  container: Docker.Container,
  streams: ProgramStreams,
  reported: Promise<ProgramExit>,
): Promise<ProgramExit> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const cutOff = new Promise<never>((_resolve, reject) => {
    void streams.ended.then((end) => {
      if (isOver) return;
      if (end === "cut") reject(connectionLost(connection));
      else timer = setTimeout(() => void rejectIfRunning(reject), newsDelayMs);
    });
  });
  cutOff.catch(() => {});
  async function rejectIfRunning(reject: (error: unknown) => void): Promise<void> {
    const state = await connection.request(container.id, () => container.inspect()).catch(() => undefined);
    if (state?.State.Running) reject(connectionLost(connection));
  }
  try {
    return await Promise.race([reported, cutOff]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/** A program for another architecture ends in its init, or in its runtime, with a code of theirs. */
async function checkArchitecture(
  { connection, image, template }: ContainerSource,
  streams: ProgramStreams,
  exit: ProgramExit,
): Promise<void> {
  const { platform } = connection.daemon;
  if (!exit.code || `${image.platform}/`.startsWith(`${platform}/`)) return;
  await streams.ended;
  if (!/\[FATAL tini|exec format error/i.test(streams.beginning)) return;
  throw new AnyprocError(
    "ANYPROC_START_FAILED",
    `${template.Image} is for ${image.platform}, the daemon's machine is ${platform} and has no emulator for it: choose ` +
      `an image for ${platform}, or install qemu-user-static over there`,
  );
}

/** What the daemon has not done by itself when a program ends: say whether memory ran out, and remove the container. */
async function settle(source: ContainerSource, container: Docker.Container, exit: ProgramExit): Promise<ProgramExit> {
  const { connection, template, autoRemove } = source;
  if (template.HostConfig.AutoRemove) return exit;
  const outOfMemory =
    exit.signal === "SIGKILL" &&
    (await connection
      .request(container.id, () => container.inspect())
      .then(
        ({ State }) => State.OOMKilled,
        () => false,
      ));
  if (autoRemove) await removeContainer(connection, container.id).catch(() => {});
  return { ...exit, ...(outOfMemory && { outOfMemory }) };
}
