import type { Person } from "./modes.ts";
import { type Outcome, run } from "./run.ts";

// Logs, caches and lists hold times; the other places belong to the host, or are empty after a restart.
const left = ["dev", "proc", "sys", "tmp", "var/cache", "var/lib/apt/lists", "var/log"];

const list = `cd "$0" && format=$1 && shift && find . "$@" -printf "$format" | sort &&
  find . "$@" -type f -print0 | sort -z | xargs -0 sha256sum`;

/** Everything that is in a root filesystem: names, types, modes, owners, links and contents. */
export function listTree(tree: string, person: Person): Promise<Outcome> {
  // Files of an ordinary user are the user's, whoever they were given to.
  const owner = person === "root" ? "%U:%G" : "";
  const prune = left.flatMap((path) => ["-path", `./${path}`, "-prune", "-o"]);
  return run(["sh", "-c", list, tree, `%P %y %m ${owner} %n %l\\n`, ...prune]);
}
