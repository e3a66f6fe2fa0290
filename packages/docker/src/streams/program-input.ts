import type { Duplex, Writable } from "node:stream";
import type { Command } from "@anyproc/core";
import { terminalInput } from "@anyproc/core/remote-shell";

/**
 * The input of a program that is about to run. A terminal whose input is null gets its end at once: a key that nobody
 * has read when the program ends makes podman's monitor reset the connection, and what it still carries is lost.
 */
export function programInput({ pty, stdin }: Command, connection: Duplex): Writable {
  if (!pty) return connection;
  const input = terminalInput(connection);
  if (stdin === "null") input.end();
  return input;
}
