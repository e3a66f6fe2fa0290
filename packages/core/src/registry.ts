import type { CommandInput } from "./command.ts";
import type { Environment, SpawnOptions } from "./environment.ts";
import { AnyprocError } from "./errors.ts";
import type { Process } from "./process/process.ts";
import { withEnvironment } from "./process/with-environment.ts";

/** Makes an environment out of its own options. */
export type EnvironmentFactory = (options?: Readonly<Record<string, unknown>>) => Environment | Promise<Environment>;

// On the global object, so that two copies of this package (one per dependency range) share one registry.
const key = Symbol.for("anyproc.environments");
const shared = globalThis as { [key]?: Map<string, Registration> };
shared[key] ??= new Map();
const registrations: Map<string, Registration> = shared[key];

interface Registration {
  readonly factory: EnvironmentFactory;
  readonly owner: string | undefined;
}

const packages: Readonly<Record<string, string>> = {
  host: "@anyproc/host",
  os: "@anyproc/host",
  docker: "@anyproc/docker",
  ssh: "@anyproc/ssh",
  proot: "@anyproc/proot",
};

/** Options of registerEnvironment(). */
export interface RegisterOptions {
  /** The package that registers. A second copy of the same package may register again; the first one stays. */
  readonly owner?: string;
}

/**
 * Makes an environment known by a name. Packages do so when they are imported.
 *
 * @throws ANYPROC_DUPLICATE_ENVIRONMENT when somebody else has the name
 */
export function registerEnvironment(name: string, factory: EnvironmentFactory, options: RegisterOptions = {}): void {
  const { owner } = options;
  const present = registrations.get(name);
  if (present !== undefined && owner !== undefined && present.owner === owner) return;
  if (present !== undefined) {
    throw new AnyprocError(
      "ANYPROC_DUPLICATE_ENVIRONMENT",
      `an environment named ${JSON.stringify(name)} is registered already: register yours under another name`,
    );
  }
  registrations.set(name, { factory, owner });
}

/** The names that can be created now. */
export function registeredEnvironments(): string[] {
  return [...registrations.keys()].sort();
}

/**
 * Makes an environment by its registered name.
 *
 * @throws ANYPROC_UNKNOWN_ENVIRONMENT, naming what is known and the package to install
 */
export async function createEnvironment(
  name: string,
  options?: Readonly<Record<string, unknown>>,
): Promise<Environment> {
  const registration = registrations.get(name);
  if (!registration) {
    const known = registeredEnvironments().join(", ") || "none";
    const missing = Object.hasOwn(packages, name) ? packages[name] : undefined;
    const remedy = missing
      ? `install ${missing} and import it`
      : `import the package that registers it; anyproc's own are ${Object.keys(packages).join(", ")}`;
    throw new AnyprocError(
      "ANYPROC_UNKNOWN_ENVIRONMENT",
      `no environment is named ${JSON.stringify(name)} (registered: ${known}): ${remedy}`,
    );
  }
  return registration.factory(options);
}

/** Options of createProcess(): the run's, and the environment's own under `environment`. */
export interface NamedProcessOptions extends SpawnOptions {
  readonly environment?: Readonly<Record<string, unknown>>;
}

/**
 * Makes a process in an environment by its registered name; it is not started yet. The environment is the process's own:
 * it is closed once wait() or close() is done, or start() has failed.
 *
 * @throws ANYPROC_UNKNOWN_ENVIRONMENT and what Environment.create() throws, as a rejection
 */
export async function createProcess(
  name: string,
  command: CommandInput,
  options: NamedProcessOptions = {},
): Promise<Process> {
  const environment = await createEnvironment(name, options.environment);
  try {
    return withEnvironment(environment.create(command, options), environment);
  } catch (error) {
    await environment.close();
    throw error;
  }
}
