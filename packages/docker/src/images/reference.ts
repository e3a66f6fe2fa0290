import { invalidOption } from "../errors.ts";

/** The parts of an image's name that a pull needs. */
export interface ImageReference {
  /** Everything before the tag or digest. */
  readonly repository: string;
  /** Tag or digest. */
  readonly version: string;
  /** Whose credentials apply: `docker.io`, `registry.example.org:5000`. */
  readonly registry: string;
}

/** Reads `[registry/]name[:tag][@digest]`; undefined for an image's id, which no registry knows. */
export function parseReference(text: string): ImageReference | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return undefined;
  const [, repository, tag, digest] = /^([^@]+?)(?::([\w][\w.-]*))?(?:@([\w+.-]+:[0-9a-fA-F]+))?$/.exec(text) ?? [];
  if (repository === undefined || !/^[a-z0-9]/.test(repository.toLowerCase()) || /[\s?#]/.test(repository)) {
    throw invalidOption(`image ${JSON.stringify(text)}: write [REGISTRY/]NAME[:TAG], such as debian:12`);
  }
  const [first = ""] = repository.split("/");
  const namesRegistry = repository.includes("/") && /[.:]|^localhost$/.test(first);
  return { repository, version: digest ?? tag ?? "latest", registry: namesRegistry ? first : "docker.io" };
}
