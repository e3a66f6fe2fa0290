import { type EndOptions, isAnyprocError, type ProgramExit, type SignalName, unsupported } from "@anyproc/core";
import { endScript } from "@anyproc/core/remote-shell";
import type { ProgramStreams } from "../streams/program-streams.ts";
import type { ContainerTarget } from "./container-target.ts";
import { openExec } from "./open-exec.ts";

/** Signals to a program in a container, and its end. */
export interface ExecControl {
  signal(name: SignalName): Promise<void>;
  end(options: EndOptions, streams: ProgramStreams): Promise<void>;
}

/** Controls a program by its process id in the container, from a shell there: a daemon has no request for it. */
export function execControl(target: ContainerTarget, pid: number, exited: Promise<ProgramExit>): ExecControl {
  let hasEnded = false;
  const over = exited.then(
    () => {},
    () => {},
  );
  void over.then(() => {
    hasEnded = true;
  });
  // Root may signal every program there, whoever runs it.
  const run = async (script: string, onStarted?: () => void): Promise<void> => {
    const { socket } = await openExec(target, { Cmd: ["/bin/sh", "-c", script], User: "0" });
    socket.resume();
    onStarted?.();
    await new Promise<void>((resolve) => socket.once("close", resolve));
  };
  return {
    async signal(name) {
      if (!hasEnded) await run(`kill -s ${name.slice("SIG".length)} ${pid}`);
    },
    async end({ killSignal, forceKillAfterMs }, streams) {
      // A container that has ended has taken its programs along.
      const takeLeftovers = (): void => streams.takeLeftovers();
      await run(endScript(pid, killSignal, forceKillAfterMs), takeLeftovers).catch((error: unknown) => {
        if (!isAnyprocError(error)) throw error;
      });
      takeLeftovers();
      await over;
    },
  };
}

/** For containers without a shell: what runs there can only be waited for. */
export function noControl(target: ContainerTarget, lose: (error: Error) => void): ExecControl {
  const refusal = unsupported(
    `docker:${target.name}`,
    "signalling a program in a container without /bin/sh",
    "run the program as the container's own (createDocker), or stop the container",
  );
  return {
    signal: () => Promise.reject(refusal),
    async end() {
      lose(refusal);
    },
  };
}
