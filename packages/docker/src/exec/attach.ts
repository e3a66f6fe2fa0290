import { AnyprocError, type Command, defineEnvironment, type Process, type RunningProgram } from "@anyproc/core";
import { containerControl } from "../containers/container-control.ts";
import { containerExit } from "../containers/container-exit.ts";
import { watchContainer } from "../containers/watch-container.ts";
import { ProgramStreams } from "../streams/program-streams.ts";
import { runningProgram } from "../streams/running-program.ts";
import { attachedInput } from "./attached-input.ts";
import { execCapabilities } from "./capabilities.ts";
import type { ContainerTarget } from "./container-target.ts";

/**
 * The container's first process, as a process here: its streams from now on, its signals and its exit. Closing it lets
 * go of it; what somebody else started goes on.
 */
export function attachContainer(target: ContainerTarget): Promise<Process> {
  const { name, argv, hasTerminal } = target;
  const environment = defineEnvironment({
    name: `docker:${name}`,
    capabilities: { ...execCapabilities, tree: "all", orphans: "ended" },
    start: (command) => startAttached(target, command),
  });
  return environment.spawn({ argv, pty: hasTerminal });
}

async function startAttached(target: ContainerTarget, command: Command): Promise<RunningProgram> {
  const { connection, id, name, hasTerminal, hasInit } = target;
  const watched = await watchContainer(connection, id, { hasInput: false, condition: "next-exit" });
  let isLetGo = false;
  let letGo: (error: Error) => void = () => {};
  const detached = new Promise<never>((_resolve, reject) => {
    letGo = reject;
  });
  const exited = Promise.race([containerExit(connection, watched.answer), detached]);
  exited.catch(watched.abandon);
  const control = containerControl(connection, id, exited, hasInit);
  return runningProgram({
    command,
    streams: new ProgramStreams(watched.socket, hasTerminal),
    exited,
    ...control,
    isOurs: false,
    stdin: attachedInput({
      open: () => connection.openDuplex(name, { path: `/containers/${id}/attach?stream=1&stdin=1` }),
      hasTerminal,
      isLetGo: () => isLetGo,
    }),
    async end() {
      isLetGo = true;
      letGo(
        new AnyprocError("ANYPROC_CLOSED", `${name}: let go of: the container goes on; stop it to end its program`),
      );
    },
  });
}
