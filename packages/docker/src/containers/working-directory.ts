import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";
import { statusOf } from "../connection/daemon-error.ts";

// The daemon gives modes as Go's fs.FileMode does: the highest bit says directory.
const directoryBit = 2 ** 31;

/**
 * True when a container that was made, but not started, has this directory of its own. The daemon creates it while it
 * makes the container; that shows as a change of a container which nobody has used yet.
 */
export async function hasDirectory(container: Docker.Container, path: string): Promise<boolean> {
  if (!(await isDirectory(container, path))) return false;
  const { Mounts } = await container.inspect();
  const covering = Mounts.filter(({ Destination }) => `${path}/`.startsWith(`${Destination.replace(/\/+$/, "")}/`));
  // What the daemon made lies below the mount, out of sight; one in memory is empty so far.
  if (covering.length > 0) return covering.every(({ Type, Destination }) => Type !== "tmpfs" || Destination === path);
  const changes = (await container.changes()) as readonly { readonly Kind: number }[] | null;
  const added = 1;
  return !changes?.some(({ Kind }) => Kind === added);
}

async function isDirectory(container: Docker.Container, path: string): Promise<boolean> {
  try {
    const answer = (await container.infoArchive({ path })) as unknown as IncomingMessage;
    answer.resume();
    const stat = Buffer.from(String(answer.headers["x-docker-container-path-stat"]), "base64").toString("utf8");
    const { mode, linkTarget } = JSON.parse(stat) as { readonly mode: number; readonly linkTarget: string };
    if (mode >= directoryBit) return true;
    return linkTarget !== "" && linkTarget !== path && isDirectory(container, linkTarget);
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
