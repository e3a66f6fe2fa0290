import { UsageError } from "../usage-error.ts";

/** One side of a copy with docker on the other side, or on both. */
export type DockerPlace =
  | { readonly kind: "image"; readonly name: string }
  | { readonly kind: "container"; readonly name: string; readonly path: string }
  | { readonly kind: "dir" | "tar" | "docker-archive"; readonly path: string };

/** True for a place that a Docker daemon has. */
export function isDockerPlace(text: string): boolean {
  return text.startsWith("docker:");
}

/**
 * Reads `docker:IMAGE`, `docker:CONTAINER:/PATH`, `tar:FILE`, `docker-archive:FILE`, `dir:DIR` or a path.
 *
 * @throws UsageError
 */
export function parseDockerPlace(text: string): DockerPlace {
  const [, kind = "dir", place = ""] = /^(?:(docker|tar|docker-archive|dir):)?(.+)$/s.exec(text) ?? [];
  if (place === "") throw new UsageError(`copy ${text}: say what of it, as in docker:debian:12 or tar:rootfs.tar`);
  if (kind === "docker") return parseDaemonPlace(text, place);
  const scheme = kind === "dir" && !text.startsWith("dir:") ? /^([a-z][a-z-]+):/.exec(place)?.[1] : undefined;
  if (scheme !== undefined) {
    throw new UsageError(`copy ${text}: ${scheme}: and docker: do not go together: copy to dir:DIR first`);
  }
  return { kind: kind as "dir" | "tar" | "docker-archive", path: place };
}

function parseDaemonPlace(text: string, place: string): DockerPlace {
  if (place.startsWith("//")) throw new UsageError(`copy ${text}: for an image in a registry write registry:REF`);
  // No image has a slash after a colon in its name.
  const [, name, path] = /^(.+?):(\/.*)$/s.exec(place) ?? [];
  return name !== undefined && path !== undefined ? { kind: "container", name, path } : { kind: "image", name: place };
}
