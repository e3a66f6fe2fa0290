import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { FileSystem } from "@anyproc/core";
import { ask } from "../files/sftp-request.ts";
import type { RemoteDirectory } from "./remote-tree.ts";
import type { TreeEntry } from "./tree.ts";

/** The side of a sync that is changed. Paths are relative to its root. */
export interface TreeTarget {
  readonly name: string;
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Lets its owner do everything in a directory. */
  open(directory: TreeEntry): Promise<void>;
  /** Replaces what is at `to`, unless that is a directory. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file, or a directory with everything in it; nothing there is fine. */
  remove(path: string): Promise<void>;
  setAttributes(entry: TreeEntry, withOwner: boolean): Promise<void>;
}

/** A directory on the server, changed over SFTP. */
export function remoteTarget(remote: RemoteDirectory, files: FileSystem): TreeTarget {
  const at = (path: string): string => (path === "" ? remote.path : `${remote.path}/${path}`);
  return {
    name: remote.name,
    makeDirectory: (path, mode = 0o777) => files.mkdir(at(path), { recursive: true, mode }),
    open: ({ path, mode }) => files.chmod(at(path), mode | 0o700),
    move: (from, to) => files.rename(at(from), at(to)),
    remove: (path) => files.rm(at(path), { recursive: true, force: true }),
    async setAttributes(entry, withOwner) {
      const path = at(entry.path);
      const set = (attributes: object): Promise<void> =>
        remote.sftp.use("setstat", path, (sftp) =>
          ask(sftp, (done) => sftp.setstat(path, attributes, (error) => done(error, undefined))),
        );
      // chown(2) takes setuid and setgid bits away: the mode comes after the owner.
      if (withOwner) await set({ uid: entry.uid, gid: entry.gid });
      await set({ mode: entry.mode, atime: entry.mtime, mtime: entry.mtime });
    },
  };
}

/** A directory on this machine. */
export function localTarget(root: string): TreeTarget {
  const at = (path: string): string => join(root, path);
  return {
    name: root,
    makeDirectory: async (path, mode = 0o777) => {
      await fs.mkdir(at(path), { recursive: true, mode });
    },
    open: ({ path, mode }) => fs.chmod(at(path), mode | 0o700),
    move: (from, to) => fs.rename(at(from), at(to)),
    remove: (path) => fs.rm(at(path), { recursive: true, force: true }),
    async setAttributes(entry, withOwner) {
      const path = at(entry.path);
      if (withOwner) await fs.chown(path, entry.uid, entry.gid);
      await fs.chmod(path, entry.mode);
      await fs.utimes(path, entry.mtime, entry.mtime);
    },
  };
}
