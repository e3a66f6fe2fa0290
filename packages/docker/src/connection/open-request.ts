import http, { type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { RefusedRequest } from "./daemon-error.ts";

/** A request whose answer is a stream. dockerode has no way to send these exactly. */
export interface OpenRequest {
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** How requests reach the daemon. */
export interface Transport {
  readonly protocol: "http" | "https";
  readonly options: RequestOptions;
}

/** Sends a POST and resolves with the answer's head: its body may come much later. */
export async function openResponse(transport: Transport, request: OpenRequest): Promise<IncomingMessage> {
  const { response } = await open(transport, request, {});
  if (!response) throw new Error(`${request.path}: the daemon switched protocols unasked`);
  return response;
}

/**
 * Sends a POST and takes the connection over: Docker Engine API, "Attach to a container", hijacking. No byte of the
 * request may stay unread over there, or it would be the program's input: hence a body of a stated length, always.
 */
export async function openDuplex(transport: Transport, request: OpenRequest): Promise<Duplex> {
  const { socket, response } = await open(transport, request, { Connection: "Upgrade", Upgrade: "tcp" });
  if (socket) return socket;
  response?.destroy();
  throw new Error("the daemon, or a proxy before it, does not let connections be taken over");
}

function open(
  { protocol, options }: Transport,
  { path, body, signal }: OpenRequest,
  extra: Readonly<Record<string, string>>,
): Promise<{ socket?: Duplex; response?: IncomingMessage }> {
  const content = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    ...extra,
    ...(content !== "" && { "Content-Type": "application/json" }),
    "Content-Length": Buffer.byteLength(content),
  };
  const { request } = protocol === "https" ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, method: "POST", path, headers, ...(signal && { signal }) });
    sent.once("error", reject);
    sent.once("upgrade", (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket });
    });
    sent.once("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve({ response });
      else buffer(response).then((text) => reject(new RefusedRequest(status, parse(text))), reject);
    });
    sent.end(content);
  });
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString("utf8"));
  } catch {
    return text;
  }
}
