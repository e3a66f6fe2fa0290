import type { Writable } from "node:stream";
import { type Environment, type Process, type RunningProgram, type SpawnOptions, unsupported } from "@anyproc/core";
import { type PayloadPlace, placePayload } from "./payload-place.ts";
import { openedPayload } from "./runnable.ts";
import { defineRunner, policyOf, type RunCommand, type Runner } from "./runner.ts";

/** How payloads get into an environment. */
export interface EnvironmentRunnerOptions {
  /** Where a payload is written that cannot run from this machine's memory there. @default "/tmp" */
  readonly directory?: string;
}

/**
 * A runner that runs payloads inside an environment: straight from this machine's memory where the environment sees
 * it, as the host does, else from a file that is written there for the run, and removed.
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
    const place = await placePayload(environment, payload, directory);
    try {
      return await start(environment, place, command, spawnOptions);
    } catch (error) {
      await place.remove();
      throw error;
    }
  });
}

async function start(
  environment: Environment,
  place: PayloadPlace,
  command: RunCommand,
  options: SpawnOptions,
): Promise<RunningProgram> {
  const { killSignal, forceKillAfterMs } = options;
  const stdinPolicy = policyOf(command.stdin);
  if (place.input && stdinPolicy === "inherit") {
    throw unsupported(environment.name, 'stdin: "inherit"', "give process.stdin");
  }
  const running = environment.create(
    {
      argv: [...place.argv, ...(command.args ?? [])],
      ...(command.cwd !== undefined && { cwd: command.cwd }),
      ...(command.env && { env: command.env }),
      ...(command.extendEnv !== undefined && { extendEnv: command.extendEnv }),
      stdin: place.input ? "pipe" : stdinPolicy,
      stdout: policyOf(command.stdout),
      stderr: policyOf(command.stderr),
    },
    { ...(killSignal && { killSignal }), ...(forceKillAfterMs !== undefined && { forceKillAfterMs }) },
  );
  const stdout = policyOf(command.stdout) === "pipe" ? running.forkStdout() : null;
  const stderr = policyOf(command.stderr) === "pipe" ? running.forkStderr() : null;
  await running.start();
  if (place.input) running.stdin.write(place.input);
  if (place.input && stdinPolicy === "null") running.stdin.end();
  const stdin: Writable | null = stdinPolicy === "pipe" ? running.stdin : null;
  return { pid: running.pid, stdin, stdout, stderr, ...lifeOf(running, place) };
}

function lifeOf(running: Process, place: PayloadPlace): Pick<RunningProgram, "exited" | "signal" | "end"> {
  return {
    // A file that cannot be removed is left to an environment that has gone away or fails in other ways.
    exited: running.wait().finally(() => place.remove().catch(() => {})),
    signal: (name) => running.signal(name),
    end: ({ killSignal }) => (killSignal === "SIGKILL" ? running.kill() : running.close()),
  };
}
