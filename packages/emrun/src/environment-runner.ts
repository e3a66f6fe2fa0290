import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import {
  type Environment,
  type FileSystem,
  type Process,
  type RunningProgram,
  type SpawnOptions,
  unsupported,
} from "@anyproc/core";
import { type OpenedPayload, openedPayload } from "./runnable.ts";
import { defineRunner, policyOf, type RunCommand, type Runner } from "./runner.ts";

/** How payloads get into an environment. */
export interface EnvironmentRunnerOptions {
  /** Where a payload is written that cannot run from this machine's memory there. @default "/tmp" */
  readonly directory?: string;
}

/** Where a payload lies in an environment. */
interface Place {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * A runner that runs payloads inside an environment: straight from this machine's memory where the environment sees
 * it, as the host does, else from a file that is written there for the run and removed after it.
 *
 * @example
 * await run(payload, ["--version"], { runner: inEnvironment(guest) });
 */
export function inEnvironment(environment: Environment, options: EnvironmentRunnerOptions = {}): Runner {
  const { directory = "/tmp" } = options;
  return defineRunner(`emrun in ${environment.name}`, async (runnable, command, spawnOptions) => {
    const payload = openedPayload(runnable);
    if (command.argv0 !== undefined) throw unsupported(environment.name, "argv0", "leave it unset");
    if (command.descriptors?.length) throw unsupported(environment.name, "extra descriptors", "use the three streams");
    const place = (await findInMemory(environment, payload)) ?? (await write(environment, payload, directory));
    try {
      return await start(environment, place, command, spawnOptions);
    } catch (error) {
      await place.remove();
      throw error;
    }
  });
}

/** The memory file's path in this process's own /proc directory, if the environment sees the very same file there. */
async function findInMemory(environment: Environment, payload: OpenedPayload): Promise<Place | undefined> {
  // Only what runs on this machine has this process in its /proc. On another one somebody else's process may have the
  // same id, and a file of the same name, which anybody can give.
  const isOnThisMachine = environment.capabilities.pid !== "none";
  if (!payload.isMemfd || !isOnThisMachine) return undefined;
  const path = `/proc/${process.pid}/fd/${payload.file.descriptor}`;
  // proc_pid_fd(5) shows the name that memfd_create(2) was given.
  const target = await environment.fs?.readlink(path).catch(() => undefined);
  return target === `/memfd:${payload.digest} (deleted)` ? { path, remove: () => Promise.resolve() } : undefined;
}

async function write(environment: Environment, payload: OpenedPayload, directory: string): Promise<Place> {
  const fs: FileSystem | undefined = environment.fs;
  if (!fs) throw unsupported(environment.name, "a payload", "its files cannot be written; run a program that it has");
  const path = `${directory}/${payload.digest}-${randomBytes(8).toString("hex")}`;
  const remove = (): Promise<void> => fs.rm(path, { force: true });
  try {
    await fs.writeFile(path, await payload.bytes(), { mode: 0o700 });
    await fs.chmod(path, 0o700);
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
  return { path, remove };
}

async function start(
  environment: Environment,
  place: Place,
  command: RunCommand,
  options: SpawnOptions,
): Promise<RunningProgram> {
  const { killSignal, forceKillAfterMs } = options;
  const running = environment.create(
    {
      argv: [place.path, ...(command.args ?? [])],
      ...(command.cwd !== undefined && { cwd: command.cwd }),
      ...(command.env && { env: command.env }),
      ...(command.extendEnv !== undefined && { extendEnv: command.extendEnv }),
      stdin: policyOf(command.stdin),
      stdout: policyOf(command.stdout),
      stderr: policyOf(command.stderr),
    },
    { ...(killSignal && { killSignal }), ...(forceKillAfterMs !== undefined && { forceKillAfterMs }) },
  );
  const stdout = policyOf(command.stdout) === "pipe" ? running.forkStdout() : null;
  const stderr = policyOf(command.stderr) === "pipe" ? running.forkStderr() : null;
  await running.start();
  const stdin: Writable | null = policyOf(command.stdin) === "pipe" ? running.stdin : null;
  return { pid: running.pid, stdin, stdout, stderr, ...lifeOf(running, place) };
}

function lifeOf(running: Process, place: Place): Pick<RunningProgram, "exited" | "signal" | "end"> {
  return {
    // A file that cannot be removed is left to an environment that has gone away or fails in other ways.
    exited: running.wait().finally(() => place.remove().catch(() => {})),
    signal: (name) => running.signal(name),
    end: ({ killSignal }) => (killSignal === "SIGKILL" ? running.kill() : running.close()),
  };
}
