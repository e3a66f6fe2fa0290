import {
  type EndOptions,
  isAnyprocError,
  type ProgramExit,
  type PtySize,
  type SignalName,
  unsupported,
} from "@anyproc/core";
import type { DockerConnection } from "../connection/connect.ts";
import { isTooLate } from "../connection/daemon-error.ts";
import type { ProgramStreams } from "../streams/program-streams.ts";

/** Signals to a container's program, and its end. */
export interface ContainerControl {
  signal(name: SignalName): Promise<void>;
  end(options: EndOptions, streams: ProgramStreams): Promise<void>;
  resize(size: Required<PtySize>): Promise<void>;
}

// tini's own source, and pid_namespaces(7): what the first process has no handler for does not reach it from outside,
// and tini leaves those of its own faults, and of a stop, to itself.
const keptByInit: ReadonlySet<string> = new Set(
  ["ABRT", "BUS", "FPE", "ILL", "SEGV", "STOP", "SYS", "TRAP", "TTIN", "TTOU"].map((name) => `SIG${name}`),
);

export function containerControl(
  connection: DockerConnection,
  id: string,
  exited: Promise<ProgramExit>,
  hasInit: boolean,
): ContainerControl {
  let hasEnded = false;
  const over = exited.then(
    () => {},
    () => {},
  );
  void over.then(() => {
    hasEnded = true;
  });

  async function send(name: SignalName): Promise<void> {
    if (hasEnded) return;
    try {
      await connection.request(id, (docker) => docker.getContainer(id).kill({ signal: name }));
    } catch (error) {
      if (!isAnyprocError(error) || !isTooLate(error)) throw error;
    }
  }

  async function sendLast(name: SignalName, streams: ProgramStreams): Promise<void> {
    await send(name);
    streams.takeLeftovers();
  }

  async function signal(name: SignalName): Promise<void> {
    if (hasInit && keptByInit.has(name)) {
      throw unsupported(
        "docker",
        `sending ${name} through the container's init`,
        "make the environment with init: false",
      );
    }
    await send(name);
  }

  async function end({ killSignal, forceKillAfterMs }: EndOptions, streams: ProgramStreams): Promise<void> {
    const asks = killSignal !== "SIGKILL" && forceKillAfterMs > 0;
    if (asks) await sendLast(killSignal, streams);
    if (!asks || !(await isOverWithin(over, forceKillAfterMs))) await sendLast("SIGKILL", streams);
    await over;
  }

  return {
    signal,
    end,
    async resize({ columns, rows }) {
      if (!hasEnded)
        await connection
          .request(id, (docker) => docker.getContainer(id).resize({ w: columns, h: rows }))
          .catch(() => {});
    },
  };
}

async function isOverWithin(over: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  const isOver = await Promise.race([over.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}
