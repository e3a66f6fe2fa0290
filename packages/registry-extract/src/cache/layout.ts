import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseDigest } from "../image/digest.ts";

/** Where things are in a cache directory. */
export interface CacheLayout {
  readonly directory: string;
  /** A blob that was checked: `blobs/sha256/HEX`. */
  blob(digest: string): string;
  readonly blobs: string;
  /** Downloads that are not complete, one file a process. */
  readonly partial: string;
  /** Unpacked layers: `layers/sha256/HEX`. */
  layer(digest: string): string;
  readonly layers: string;
  /** Which digest a reference had. */
  tag(key: string): string;
  readonly tags: string;
  /** Which directories use unpacked layers. */
  user(directory: string): string;
  readonly users: string;
}

/** `$ANYPROC_HOME/images`, else `$XDG_DATA_HOME/anyproc/images`, else `~/.local/share/anyproc/images`. */
function defaultCacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["ANYPROC_HOME"] || join(env["XDG_DATA_HOME"] || join(homedir(), ".local/share"), "anyproc");
  return join(home, "images");
}

/** Names the places of a cache. */
export function cacheLayout(directory: string = defaultCacheDirectory()): CacheLayout {
  const root = resolve(directory);
  const place = (kind: string) => join(root, kind);
  const byDigest = (kind: string, digest: string) => {
    const { algorithm, hex } = parseDigest(digest);
    return join(root, kind, algorithm, hex);
  };
  const byName = (kind: string, name: string) =>
    join(root, kind, `${createHash("sha256").update(name).digest("hex")}.json`);
  return {
    directory: root,
    blobs: place("blobs"),
    partial: place("partial"),
    layers: place("layers"),
    tags: place("tags"),
    users: place("users"),
    blob: (digest) => byDigest("blobs", digest),
    layer: (digest) => byDigest("layers", digest),
    tag: (key) => byName("tags", key),
    user: (path) => byName("users", resolve(path)),
  };
}
