import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";

// As much as Node.js reads at once.
const readBytes = 64 * 1024;

type OnSocket = (error: Error | null, socket: Duplex) => void;

/**
 * Reads each connection into one buffer, where node:http has a new one for every read: a download would have the garbage
 * collector look through the whole program's memory again and again.
 */
export class PlainAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, callback?: OnSocket): Duplex {
    return readIntoOneBuffer(options, (more) => super.createConnection(more, callback));
  }
}

/** The same for https. */
export class SecureAgent extends HttpsAgent {
  override createConnection(options: ClientRequestArgs, callback?: OnSocket): Duplex {
    return readIntoOneBuffer(options, (more) => super.createConnection(more, callback));
  }
}

/** The option `onread` of net.connect(); the parser of node:http, which wants `data` events, copies what it keeps. */
function readIntoOneBuffer(options: ClientRequestArgs, connect: (options: ClientRequestArgs) => Duplex): Duplex {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(readBytes),
    callback(bytes: number, buffer: Buffer): boolean {
      socket.emit("data", buffer.subarray(0, bytes));
      return true;
    },
  };
  const socket = connect({ ...options, onread } as ClientRequestArgs);
  return socket;
}
