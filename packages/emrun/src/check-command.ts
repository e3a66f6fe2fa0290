import { Readable, Writable } from "node:stream";
import { AnyprocError } from "@anyproc/core";
import type { RunCommand } from "./runner.ts";

/**
 * Refuses what would be taken for something else, or be waited for without end. The rest is core's to check.
 *
 * @throws ANYPROC_INVALID_OPTION
 */
export function checkCommand({ args, descriptors, stdin, stdout, stderr }: RunCommand): void {
  if (args !== undefined && !Array.isArray(args))
    throw invalid("args is not a list: give one string for each argument");
  if (descriptors?.some((descriptor) => !Number.isInteger(descriptor) || descriptor < 0)) {
    throw invalid(`descriptors is ${JSON.stringify(descriptors)}: give the numbers of open descriptors`);
  }
  if (!isInherited(stdin) && !(stdin instanceof Uint8Array || stdin instanceof Readable)) {
    throw invalid(`stdin is of type ${typeof stdin}: give bytes in a Uint8Array, a Readable, or "inherit"`);
  }
  for (const [name, stream] of Object.entries({ stdout, stderr })) {
    if (isInherited(stream) || stream instanceof Writable) continue;
    throw invalid(`${name} is of type ${typeof stream}: give a Writable, or "inherit"`);
  }
}

function isInherited(stream: unknown): stream is undefined | "inherit" {
  return stream === undefined || stream === "inherit";
}

function invalid(message: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", message);
}
