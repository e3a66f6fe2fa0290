import { type AnyprocError, isAnyprocError, systemErrorCode } from "@anyproc/core";
import { dockerError, reasonOf } from "../errors.ts";

/** An answer of the daemon's that is no success; dockerode's errors have the same fields. */
export class RefusedRequest extends Error {
  readonly statusCode: number;
  readonly json: unknown;

  constructor(statusCode: number, json: unknown) {
    super(`status ${statusCode}`);
    this.statusCode = statusCode;
    this.json = json;
  }
}

/** The status of an answer that was no success; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" ? status : undefined;
}

/** Whether a request came too late: its container is not running any more, or is being removed, or is gone. */
export function isTooLate(error: AnyprocError): boolean {
  return error.code === "ANYPROC_CONTAINER_NOT_FOUND" || statusOf(error.cause) === 409;
}

/** What the daemon said, without dockerode's frame around it. */
export function refusalText(error: unknown): string {
  const json: unknown = error instanceof Error && "json" in error ? error.json : undefined;
  if (typeof json === "object" && json !== null && "message" in json) return String(json.message).trim();
  if (Buffer.isBuffer(json) && json.length > 0) return json.toString("utf8").trim();
  return reasonOf(error)
    .replace(/^\(HTTP code \d+\) [^-]* - /, "")
    .trim();
}

/**
 * Sorts what went wrong between us and the daemon: nobody answers, we may not ask, or the answer is no.
 *
 * @param object what the request was about, for the message
 */
export function daemonError(daemon: string, object: string, error: unknown): AnyprocError {
  if (isAnyprocError(error)) return error;
  const status = statusOf(error);
  if (status !== undefined) return refusal(daemon, object, status, error);
  const code = systemErrorCode(error) ?? "";
  if (code === "EACCES" || code === "EPERM") {
    return dockerError(
      "ANYPROC_DOCKER_PERMISSION_DENIED",
      `${daemon}: this user may not use the socket: join its group (usermod -aG docker NAME, then log in again), or ` +
        "use a daemon of your own (dockerd-rootless, DOCKER_HOST)",
      error,
    );
  }
  return dockerError("ANYPROC_DOCKER_UNREACHABLE", `${daemon}: ${unreachable(code, error)}`, error);
}

function refusal(daemon: string, object: string, status: number, error: unknown): AnyprocError {
  const text = refusalText(error);
  // podman 4 answers with 500 when the container goes while it looks.
  if ((status === 404 || status === 500) && /no such container/i.test(text)) {
    return dockerError(
      "ANYPROC_CONTAINER_NOT_FOUND",
      `${object}: ${daemon} has no such container: \`docker ps --all\` shows those that it has`,
      error,
    );
  }
  if (status === 404 && /no such image|image not known|manifest unknown|not found: manifest/i.test(text)) {
    return dockerError("ANYPROC_IMAGE_NOT_FOUND", `${object}: ${text}: check its name, or pull it`, error);
  }
  if (status === 409 && /name .* (is )?already in use/i.test(text)) {
    return dockerError(
      "ANYPROC_CONTAINER_EXISTS",
      `${object}: another container has this name: choose another one, or remove that container`,
      error,
    );
  }
  return dockerError(
    "ANYPROC_DOCKER_REFUSED",
    `${object}: ${daemon} refused: ${text}${refusalRemedy(status, text)}`,
    error,
  );
}

function refusalRemedy(status: number, text: string): string {
  if (/HTTP request to an HTTPS server/i.test(text)) return ": set tls, or DOCKER_TLS_VERIFY and DOCKER_CERT_PATH";
  if (/client version .* is too (new|old)/i.test(text)) return ": update the older side";
  if (/unauthorized|authentication required|denied/i.test(text)) return ": docker login, or check its credentials";
  if (/no space left on device/i.test(text)) return ": make room there, for instance with `docker system prune`";
  if (status >= 500) return ": its log says more";
  return ": correct the request";
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket: start the daemon, or set DOCKER_HOST",
  ENOTDIR: "there is no such socket: start the daemon, or set DOCKER_HOST",
  ECONNREFUSED: "no daemon listens there: start it (systemctl start docker), or set DOCKER_HOST",
  ENOTFOUND: "the name does not resolve: check its spelling and the network",
  EAI_AGAIN: "the name cannot be looked up now: check the network's name servers",
  EHOSTUNREACH: "no route leads there: check the network",
  ENETUNREACH: "no route leads there: check the network",
  ECONNRESET: "it ended the connection: is this a Docker daemon, and does it want TLS?",
  EPROTO: "it does not speak TLS: leave tls out, or name the port that does",
  HPE_INVALID_CONSTANT: "what answers is no Docker daemon: check the address",
};

function unreachable(code: string, error: unknown): string {
  if (reasons[code]) return reasons[code];
  if (/CERT|SIGNATURE|TLS|SSL/.test(code)) return `${reasonOf(error)}: check ca.pem, cert.pem and key.pem`;
  if (code === "SSH_FAILED")
    return `${reasonOf(error)}: does \`ssh\` reach that machine, and is docker installed there?`;
  if (code === "ABORT_ERR" || code === "ETIMEDOUT")
    return "no answer in time: check address and firewall, or raise timeoutMs";
  return `${reasonOf(error)}: is the daemon running?`;
}
