import type { RunningProgram } from "@anyproc/core";
import { loadAddon } from "./addon.ts";
import type { PayloadFile } from "./payload-file.ts";
import type { RunCommand } from "./runner.ts";
import { startWithAddon } from "./start-with-addon.ts";
import { startWithNode } from "./start-with-node.ts";

/** A start that is entirely decided. */
export interface PayloadStart {
  /** What is executed. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly command: RunCommand;
  /** Descriptors of this process that the child has as 3, 4 and so on. It has no others. */
  readonly descriptors: readonly number[];
  /** The payload's first bytes. */
  readonly header: Buffer;
}

/** Starts a file of a payload on this machine. Rejects with the system's error. */
export type SpawnPayload = (file: PayloadFile, header: Buffer, command: RunCommand) => Promise<RunningProgram>;

export const spawnPayload: SpawnPayload = async (file, header, command) => {
  const { descriptors: own = [], args = [] } = command;
  // The payload's comes after the caller's, whose numbers thus are the same with a temporary file. It stays open in
  // the payload: an interpreter opens the script by it, at any time.
  const descriptors = file.path === undefined ? [...own, file.descriptor] : own;
  const path = file.path ?? `/proc/self/fd/${2 + descriptors.length}`;
  const start = { path, argv: [command.argv0 ?? path, ...args], command, descriptors, header };
  const addon = loadAddon();
  return addon instanceof Error ? startWithNode(start) : startWithAddon(addon, start);
};
