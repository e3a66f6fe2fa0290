import { UsageError } from "../usage-error.ts";
import { type EnvironmentName, environmentNames } from "./names.ts";
import type { EnvironmentOptions } from "./options.ts";

interface Owner {
  readonly environment: EnvironmentName;
  readonly flag: string;
  /** Another environment that takes the option when `--on` names it. */
  readonly also?: EnvironmentName;
}

// Each of these options belongs to one environment, so that giving one of them chooses it.
const owners: Readonly<Record<Exclude<keyof EnvironmentOptions, "on">, Owner>> = {
  chroot: { environment: "host", flag: "--chroot" },
  image: { environment: "docker", flag: "--image", also: "proot" },
  container: { environment: "docker", flag: "--container" },
  publish: { environment: "docker", flag: "--publish" },
  volume: { environment: "docker", flag: "--volume" },
  network: { environment: "docker", flag: "--network" },
  name: { environment: "docker", flag: "--name" },
  pull: { environment: "docker", flag: "--pull" },
  rm: { environment: "docker", flag: "--rm" },
  dockerHost: { environment: "docker", flag: "--docker-host" },
  host: { environment: "ssh", flag: "--host" },
  identity: { environment: "ssh", flag: "--identity" },
  passwordEnv: { environment: "ssh", flag: "--password-env" },
  knownHosts: { environment: "ssh", flag: "--known-hosts" },
  acceptNew: { environment: "ssh", flag: "--accept-new" },
  jump: { environment: "ssh", flag: "--jump" },
  rootfs: { environment: "proot", flag: "--rootfs" },
  R: { environment: "proot", flag: "-R" },
  S: { environment: "proot", flag: "-S" },
  bind: { environment: "proot", flag: "--bind" },
  rootId: { environment: "proot", flag: "--root-id" },
  id: { environment: "proot", flag: "--id" },
  killOnExit: { environment: "proot", flag: "--kill-on-exit" },
  strict: { environment: "proot", flag: "--strict" },
};

/**
 * The environment that `--on` names or the other options imply; host when nothing does.
 *
 * @throws UsageError that names both of two options which contradict each other
 */
export function chooseEnvironment(options: EnvironmentOptions): EnvironmentName {
  const given: Owner[] = [];
  if (options.on !== undefined) given.push({ environment: environmentName(options.on), flag: `--on ${options.on}` });
  for (const [name, owner] of Object.entries(owners)) {
    const value = options[name as keyof EnvironmentOptions];
    if (value === undefined) continue;
    given.push(value === false ? { ...owner, flag: owner.flag.replace("--", "--no-") } : owner);
  }
  const [first] = given;
  const contradiction = given.find(({ environment, also }) => {
    return environment !== first?.environment && (options.on === undefined || also !== first?.environment);
  });
  if (first && contradiction) {
    const [one, other] = [first, contradiction].map(({ flag, environment }) => `${flag} is for ${environment}`);
    throw new UsageError(`${one}, but ${other}: leave one of them out`);
  }
  return first?.environment ?? "host";
}

function environmentName(text: string): EnvironmentName {
  const name = environmentNames.find((known) => known === text);
  if (name) return name;
  throw new UsageError(`--on ${text}: there is no such environment: choose ${environmentNames.join(", ")}`);
}
