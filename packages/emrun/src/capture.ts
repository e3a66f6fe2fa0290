import { Writable } from "node:stream";
import { AnyprocError } from "@anyproc/core";
import type { RunCommand } from "./runner.ts";

/** A command whose output is being kept. */
export interface Capture {
  /** The command to run. */
  readonly command: RunCommand;
  /** What has been written so far, stdout and stderr together. */
  finish(): Buffer;
}

/**
 * Makes of a command one whose output is kept. The command itself stays as it is.
 *
 * @throws ANYPROC_INVALID_OPTION when the command's output leads somewhere already
 */
export function captureOutput(command: RunCommand): Capture {
  if (command.stdout !== undefined || command.stderr !== undefined) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      "stdout or stderr leads somewhere already, so it cannot be collected: use runIO() or runIOE() for streams",
    );
  }
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback): void {
      chunks.push(chunk);
      callback();
    },
  });
  return { command: { ...command, stdout: sink, stderr: sink }, finish: () => Buffer.concat(chunks) };
}
