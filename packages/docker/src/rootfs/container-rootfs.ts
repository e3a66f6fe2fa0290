import { posix } from "node:path";
import type { Readable } from "node:stream";
import { copyRootfs, type FileSystem, type Rootfs } from "@anyproc/core";
import { printable, type ReadEntry } from "@anyproc/core/tar";
import { borrowOrConnect, type DockerConnection } from "../connection/connect.ts";
import type { DockerConnectionOptions } from "../connection/options.ts";
import { enterContainer } from "../enter-container.ts";
import { invalidOption } from "../errors.ts";
import { archiveEntries, type ContainerPlace, getArchive, putArchive } from "../files/archive.ts";
import { containerFiles } from "../files/container-files.ts";
import { toFileError } from "../files/file-error.ts";
import { exportStream } from "./export-stream.ts";
import { Report } from "./report.ts";
import { sendChecked } from "./send-checked.ts";
import { checkedTar } from "./tar-check.ts";

/** Which files of a container. */
export interface ContainerRootfsOptions {
  /** Absolute path of a directory in the container; an import makes it. @default "/" */
  readonly path?: string;
  /** @default the daemon that docker(1) would use */
  readonly connection?: DockerConnection | DockerConnectionOptions;
  readonly signal?: AbortSignal;
}

/** The files of a container, running or not: all of them, or those below a directory. */
export interface ContainerRootfs extends Rootfs, AsyncDisposable {
  /** Single files of the container; paths are the container's, whatever `path` is. */
  readonly fs: FileSystem;
  /** Lets go of the daemon, unless the connection was handed in. */
  close(): Promise<void>;
}

/**
 * Opens the files of a container for copies.
 *
 * @example
 * await using site = await openContainerRootfs("web", { path: "/srv/site" });
 * await openRootfs("./site").copyTo(site);
 * @throws ANYPROC_CONTAINER_NOT_FOUND, ANYPROC_INVALID_OPTION, and what connectDocker() throws
 */
export async function openContainerRootfs(
  container: string,
  options: ContainerRootfsOptions = {},
): Promise<ContainerRootfs> {
  const { path = "/", signal } = options;
  if (!path.startsWith("/") || path.includes("\0")) {
    throw invalidOption(`container ${container}: path ${JSON.stringify(path)}: give an absolute path`);
  }
  const { connection, release } = await borrowOrConnect(options.connection, signal);
  try {
    await connection.request(container, (docker) => docker.getContainer(container).inspect());
  } catch (error) {
    await release();
    throw error;
  }
  return containerRootfs({ connection, container }, posix.normalize(path).replace(/(?<=.)\/$/, ""), release);
}

function containerRootfs(place: ContainerPlace, path: string, release: () => Promise<void>): ContainerRootfs {
  const { connection, container } = place;
  const name = `docker:${container}${path === "/" ? "" : `:${path}`}`;
  const fs = containerFiles(place);

  async function openTar(signal: AbortSignal | undefined): Promise<Readable> {
    if (path === "/") {
      const request = signal ? { abortSignal: signal } : {};
      return (await connection.request(container, (docker) =>
        docker.getContainer(container).export(request),
      )) as Readable;
    }
    const archive = getArchive(place, `${path}/.`, signal).catch((error: unknown) => {
      throw toFileError(error, "export", path);
    });
    return (await archive).tar;
  }

  async function symlinksBelow(signal: AbortSignal | undefined): Promise<Set<string>> {
    const symlinks = new Set<string>();
    for await (const { entry } of archiveEntries(place, await openTar(signal))) {
      if (entry.type === "symlink") symlinks.add(posix.normalize(entry.path));
    }
    return symlinks;
  }

  const rootfs: ContainerRootfs = {
    name,
    fs,
    async importTar(tar, { signal } = {}) {
      const report = new Report();
      // A stream that fails meanwhile is no uncaught exception: reading it tells of the failure again.
      tar.on("error", () => {});
      if (path !== "/") await fs.mkdir(path, { recursive: true });
      // The daemon's root is the container's, whatever the path: below it links could lead elsewhere.
      const check = { name, report, ...(path !== "/" && { symlinks: await symlinksBelow(signal) }) };
      await sendChecked(tar, check, signal, (checked) => putArchive(place, path, checked, signal));
      return report.result;
    },
    exportTar(exportOptions) {
      const report = new Report();
      report.lose(
        "",
        "xattr",
        "the daemon exports security.capability only, of all the extended attributes there may be",
      );
      const onEntry = (entry: ReadEntry["entry"]): void => {
        if (path !== "/" || !isDockersOwn(entry)) return;
        const reason = "the daemon made it for the container: the image may not have it";
        report.lose(printable(entry.path), "content", reason);
      };
      const noted = checkedTar({ name, report, onEntry });
      return exportStream(name, report, async (signal) => [await openTar(signal), noted], exportOptions);
    },
    copyTo: (other, copyOptions) => copyRootfs(rootfs, other, copyOptions),
    environment: () => enterContainer(container, { connection, ...(path !== "/" && { cwd: path }) }),
    close: release,
    [Symbol.asyncDispose]: release,
  };
  return rootfs;
}

const dockersOwn = new Set([".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"]);

/** What docker puts into every container, as places to mount its own files on. */
function isDockersOwn({ path, size }: ReadEntry["entry"]): boolean {
  return size === 0 && dockersOwn.has(path);
}
