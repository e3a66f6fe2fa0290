import { randomBytes } from "node:crypto";
import type { Environment } from "@anyproc/core";
import type { OpenedPayload } from "./runnable.ts";

/** How a payload is started in an environment. */
export interface PayloadPlace {
  /** What goes before the payload's own arguments. */
  readonly argv: readonly [string, ...string[]];
  /** What goes before the payload's own input. */
  readonly input?: Uint8Array;
  /** To be called when the run is over. */
  remove(): Promise<void>;
}

/** Finds a payload in this machine's memory, or else brings it into a directory of the environment. */
export async function placePayload(
  environment: Environment,
  payload: OpenedPayload,
  directory: string,
): Promise<PayloadPlace> {
  const path = `${directory}/${payload.digest}-${randomBytes(8).toString("hex")}`;
  return (await findInMemory(environment, payload)) ?? (await bring(environment, payload, path));
}

/** The memory file's path in this process's own /proc directory, if the environment sees the very same file there. */
async function findInMemory(environment: Environment, payload: OpenedPayload): Promise<PayloadPlace | undefined> {
  // Only what runs on this machine has this process in its /proc. On another one somebody else's process may have the
  // same id, and a file of the same name, which anybody can give.
  const isOnThisMachine = environment.capabilities.pid !== "none";
  if (!payload.isMemfd || !isOnThisMachine) return undefined;
  const path = `/proc/${process.pid}/fd/${payload.file.descriptor}`;
  // proc_pid_fd(5) shows the name that memfd_create(2) was given.
  const target = await environment.fs?.readlink(path).catch(() => undefined);
  return target === `/memfd:${payload.digest} (deleted)` ? { argv: [path], remove: removeNothing } : undefined;
}

async function bring(environment: Environment, payload: OpenedPayload, path: string): Promise<PayloadPlace> {
  const { fs } = environment;
  const bytes = await payload.bytes();
  if (!fs) return { argv: ["sh", "-c", receive, path, `${bytes.length}`], input: bytes, remove: removeNothing };
  const remove = (): Promise<void> => fs.rm(path, { force: true });
  try {
    await fs.writeFile(path, bytes, { mode: 0o700 });
    await fs.chmod(path, 0o700);
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
  return { argv: [path], remove };
}

// Where an environment shows no files, such as a container that is made for one command, a shell in it writes the
// payload, whose bytes come first on stdin. The file is gone before it runs, by a descriptor that the interpreter of a
// script finds, too.
const receive = `
file=$0 size=$1
shift
(umask 077 && dd of="$file" bs="$size" count=1 iflag=fullblock status=none) && chmod 700 "$file" &&
  exec 9<"$file" && rm -f "$file" && exec /proc/self/fd/9 "$@"
rm -f "$file"
exit 126`;

async function removeNothing(): Promise<void> {}
