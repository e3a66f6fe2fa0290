import { imageError } from "../errors.ts";
import { parseDigest } from "./digest.ts";

/** Which image, in which registry. */
export interface ImageReference {
  /** Host, with a port where there is one: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** Path in the registry: `library/debian`. */
  readonly repository: string;
  /** Only when one was given, or `latest` when there is no digest either. */
  readonly tag?: string;
  /** `sha256:...`; it decides when there is a tag as well. */
  readonly digest?: string;
}

// The grammar of github.com/distribution/reference.
const host =
  /^(?:\[[0-9A-Fa-f:]+\]|(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::\d{1,5})?$/;
const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tag = /^\w[\w.-]{0,127}$/;

/**
 * Reads `[HOST[:PORT]/]PATH[:TAG][@DIGEST]` as docker does: without a host it is docker.io, without a path before the
 * name it is `library/`, without tag and digest it is `latest`. The first part is a host when it has a dot, a colon or a
 * capital letter, or is `localhost`.
 *
 * @throws ANYPROC_REFERENCE_INVALID
 */
export function parseReference(text: string): ImageReference {
  if (typeof text !== "string" || text === "") throw invalid(text, "it is empty: name an image, as in debian:12");
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0) throw invalid(text, "it has more than one @");
  if (digest !== undefined) parseDigest(digest);

  const slash = named.indexOf("/");
  const first = named.slice(0, slash);
  const hasHost = slash >= 0 && (/[.:A-Z]/.test(first) || first === "localhost");
  const registry = hasHost ? first : "docker.io";
  if (!host.test(registry)) throw invalid(text, `${JSON.stringify(registry)} is not a host, or host:port`);

  const rest = hasHost ? named.slice(slash + 1) : named;
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const givenTag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path === "") throw invalid(text, "it has no image name");
  if (path !== path.toLowerCase()) throw invalid(text, "names of images are lower case");
  if (path.length > 255 || !repository.test(path)) {
    throw invalid(text, `${JSON.stringify(path)} is not a name: use a-z, 0-9, single separators . _ - and /`);
  }
  if (givenTag !== undefined && !tag.test(givenTag)) {
    throw invalid(text, `${JSON.stringify(givenTag)} is not a tag: use at most 128 of A-Z a-z 0-9 _ . -`);
  }
  const isHub = registry === "docker.io" || registry === "index.docker.io";
  const chosenTag = givenTag ?? (digest === undefined ? "latest" : undefined);
  return {
    registry: isHub ? "docker.io" : registry,
    repository: isHub && !path.includes("/") ? `library/${path}` : path,
    ...(chosenTag !== undefined && { tag: chosenTag }),
    ...(digest !== undefined && { digest }),
  };
}

/** The full form of a reference: `docker.io/library/debian:12`. */
export function formatReference(reference: ImageReference): string {
  const tagPart = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digestPart = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tagPart}${digestPart}`;
}

function invalid(text: string, reason: string): Error {
  return imageError("ANYPROC_REFERENCE_INVALID", `image reference ${JSON.stringify(text)}: ${reason}`);
}
