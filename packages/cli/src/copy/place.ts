import { UsageError } from "../usage-error.ts";

/** One side of a copy. */
export type Place =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "ssh"; readonly host: string; readonly path: string };

/** Reads `DIR`, `dir:PATH` or `ssh://[USER@]HOST[:PORT]/PATH`. @throws UsageError */
export function parsePlace(text: string): Place {
  const ssh = /^ssh:\/\/([^/]+)(\/.*)$/.exec(text);
  if (ssh?.[1] !== undefined && ssh[2] !== undefined) return { kind: "ssh", host: ssh[1], path: decode(ssh[2], text) };
  if (text.startsWith("ssh:")) throw new UsageError(`copy ${text}: write ssh://[USER@]HOST[:PORT]/PATH`);
  const path = text.startsWith("dir:") ? text.slice("dir:".length) : text;
  const scheme = /^([a-z][a-z-]+):/.exec(path)?.[1];
  if (scheme !== undefined) throw new UsageError(`copy ${text}: ${scheme}: is not known here: use dir: or ssh://`);
  if (path === "") throw new UsageError("copy: a directory has no name: name it");
  return { kind: "directory", path };
}

function decode(path: string, text: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new UsageError(`copy ${text}: "%" starts the code of a character in a URL: write %25 for itself`);
  }
}
