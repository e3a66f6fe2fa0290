import { defineEnvironment, type Environment, type FileSystem, type Starter } from "@anyproc/core";

/**
 * An environment whose working directories and files are those below a directory. It is no chroot(2), which only root
 * could do: programs see the whole machine.
 */
export function rootedEnvironment(
  environment: Environment,
  files: FileSystem,
  start: Starter,
  name: string,
  root: string,
): Environment {
  return defineEnvironment({
    name,
    capabilities: environment.capabilities,
    fs: filesBelow(files, root),
    start: (command, giveUp) => start({ ...command, cwd: `${root}/${command.cwd ?? ""}` }, giveUp),
  });
}

function filesBelow(files: FileSystem, root: string): FileSystem {
  const at = (path: string): string => (path.startsWith("/") ? root + path : path);
  return {
    readFile: (path) => files.readFile(at(path)),
    writeFile: (path, data, options) => files.writeFile(at(path), data, options),
    readdir: (path) => files.readdir(at(path)),
    stat: (path) => files.stat(at(path)),
    lstat: (path) => files.lstat(at(path)),
    mkdir: (path, options) => files.mkdir(at(path), options),
    rm: (path, options) => files.rm(at(path), options),
    rename: (from, to) => files.rename(at(from), at(to)),
    symlink: (target, path) => files.symlink(target, at(path)),
    readlink: (path) => files.readlink(at(path)),
    chmod: (path, mode) => files.chmod(at(path), mode),
    createReadStream: (path) => files.createReadStream(at(path)),
    createWriteStream: (path, options) => files.createWriteStream(at(path), options),
  };
}
