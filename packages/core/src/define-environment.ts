import type { Readable } from "node:stream";
import { type Command, type CommandInput, toCommand } from "./command.ts";
import type { Capabilities, Environment, FileSystem, SpawnOptions } from "./environment.ts";
import { AnyprocError, unsupported } from "./errors.ts";
import { ManagedProcess } from "./process/managed-process.ts";
import type { Process } from "./process/process.ts";
import type { Starter } from "./process/starter.ts";

/** What an environment's author provides. */
export interface EnvironmentDefinition {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly start: Starter;
  readonly fs?: FileSystem;
  /** Lets go of what the environment holds, after its processes have been closed. */
  readonly release?: () => void | Promise<void>;
}

/** Builds the whole Environment from a starter: checks commands against the capabilities, and closes what it started. */
export function defineEnvironment(definition: EnvironmentDefinition): Environment {
  const { name, capabilities, start, fs, release } = definition;
  const running = new Set<Process>();
  let closing: Promise<void> | undefined;

  function checkOpen(): void {
    if (closing) throw new AnyprocError("ANYPROC_CLOSED", `${name}: the environment is closed: make another one`);
  }

  function create(input: CommandInput, options?: SpawnOptions): Process {
    checkOpen();
    const command = toCommand(input);
    checkCapabilities(name, capabilities, command);
    const process: Process = new ManagedProcess(startTracked, command, options);
    return process;

    async function startTracked(checked: Command, giveUp: AbortSignal): Promise<Awaited<ReturnType<Starter>>> {
      checkOpen();
      running.add(process);
      try {
        const program = await start(checked, giveUp);
        // What has not been read yet is still open after the exit.
        const isOver = Promise.allSettled([program.exited, closed(program.stdout), closed(program.stderr)]);
        void isOver.then(() => running.delete(process));
        return program;
      } catch (error) {
        running.delete(process);
        throw error;
      }
    }
  }

  async function spawn(input: CommandInput, options?: SpawnOptions): Promise<Process> {
    const process = create(input, options);
    await process.start();
    return process;
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      await Promise.all([...running].map((process) => process.close()));
      await release?.();
    })();
    return closing;
  }

  return {
    name,
    capabilities,
    ...(fs && { fs }),
    create,
    spawn,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function closed(stream: Readable | null): Promise<void> {
  if (stream && !stream.closed) await new Promise((resolve) => stream.once("close", resolve));
}

function checkCapabilities(name: string, capabilities: Capabilities, command: Command): void {
  if (command.pty && !capabilities.pty) {
    throw unsupported(name, "pty", "run the command without a terminal");
  }
  if (command.user !== undefined && !capabilities.user) {
    throw unsupported(name, "user", "run the command as the environment's own user");
  }
  if (!capabilities.inherit && [command.stdin, command.stdout, command.stderr].includes("inherit")) {
    throw unsupported(name, "inherited stdio", "attach process.stdin, process.stdout and process.stderr instead");
  }
  if (!capabilities.binaryArguments && command.argv.some((argument) => typeof argument !== "string")) {
    throw unsupported(name, "an argument that is not text", "pass strings");
  }
}
