import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { posix } from "node:path";
import { type Command, type FileSystem, type Guest, type GuestProgram, programName } from "@anyproc/core";
import type { ResolvedBind } from "./binds.ts";
import { defaultPath } from "./guest-environment.ts";
import { resolveGuestPath, systemError } from "./guest-path.ts";

/** What extensions may ask a guest. `variables` are those that a command will have. */
export function guestForExtensions(
  rootfs: string,
  binds: readonly ResolvedBind[],
  files: FileSystem,
  variables: (command: Command) => Readonly<Record<string, string>>,
): Guest {
  async function hostPath(path: string): Promise<string> {
    const place = await resolveGuestPath(rootfs, binds, path);
    if (place.isMissing) throw systemError("ENOENT", "no such file or directory", path);
    return place.host;
  }

  async function programAt(path: string): Promise<GuestProgram | undefined> {
    try {
      const host = await hostPath(path);
      if (!(await stat(host)).isFile()) return undefined;
      await access(host, constants.X_OK);
      return { guest: path, host };
    } catch {
      return undefined;
    }
  }

  return {
    rootfs,
    files,
    hostPath,
    // execvp(3): a name with a slash is a path, others are looked up in PATH.
    async findProgram(command) {
      const name = programName(command);
      const cwd = command.cwd ?? "/";
      const path = variables(command)["PATH"] ?? defaultPath;
      const directories = name.includes("/")
        ? [cwd]
        : path.split(":").map((directory) => posix.resolve(cwd, directory));
      for (const directory of directories) {
        const program = await programAt(posix.resolve(directory, name));
        if (program) return program;
      }
      return undefined;
    },
  };
}

/** The files of a guest, by paths that `resolvePath` turns into the guest's own. */
export function withResolvedPaths(files: FileSystem, resolvePath: (path: string) => string): FileSystem {
  return {
    readFile: async (path) => files.readFile(resolvePath(path)),
    writeFile: async (path, data, options) => files.writeFile(resolvePath(path), data, options),
    readdir: async (path) => files.readdir(resolvePath(path)),
    stat: async (path) => files.stat(resolvePath(path)),
    lstat: async (path) => files.lstat(resolvePath(path)),
    mkdir: async (path, options) => files.mkdir(resolvePath(path), options),
    rm: async (path, options) => files.rm(resolvePath(path), options),
    rename: async (from, to) => files.rename(resolvePath(from), resolvePath(to)),
    symlink: async (target, path) => files.symlink(target, resolvePath(path)),
    readlink: async (path) => files.readlink(resolvePath(path)),
    chmod: async (path, mode) => files.chmod(resolvePath(path), mode),
    createReadStream: (path) => files.createReadStream(resolvePath(path)),
    createWriteStream: (path, options) => files.createWriteStream(resolvePath(path), options),
  };
}
