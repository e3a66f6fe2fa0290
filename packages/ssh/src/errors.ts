import { AnyprocError, systemErrorCode } from "@anyproc/core";

export function invalidOption(message: string, cause?: unknown): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", message, cause === undefined ? undefined : { cause });
}

export function connectionLost(host: string, cause?: unknown): AnyprocError {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return new AnyprocError(
    "ANYPROC_CONNECTION_LOST",
    `${host}: the connection was lost${detail}: what was running may go on there; connect again, or set reconnect`,
    { cause },
  );
}

export function connectionTimeout(host: string, timeoutMs: number): AnyprocError {
  return new AnyprocError(
    "ANYPROC_CONNECTION_TIMEOUT",
    `${host}: no answer within ${timeoutMs} ms: check host, port and firewall, or raise timeoutMs`,
  );
}

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name does not resolve: check its spelling and the network",
  EAI_AGAIN: "the name cannot be looked up now: check the network's name servers",
  ECONNREFUSED: "nothing listens on that port: is sshd running there, and is the port right?",
  EHOSTUNREACH: "no route leads there: check the network",
  ENETUNREACH: "no route leads there: check the network",
  ETIMEDOUT: "no answer: check host, port and firewall",
};

/** A failure before the server had anything to say. */
export function hostUnreachable(host: string, cause: unknown): AnyprocError {
  const reason = unreachable[systemErrorCode(cause) ?? ""];
  const text = reason ?? `${cause instanceof Error ? cause.message : String(cause)}: is this an SSH server?`;
  return new AnyprocError("ANYPROC_HOST_UNREACHABLE", `${host}: ${text}`, { cause });
}
