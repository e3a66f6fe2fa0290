import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { loadAddon } from "./addon.ts";

/** One pipe for stdout and stderr, which keeps the order of what a program writes to the two. */
export interface CombinedPipe {
  /** The descriptor that the program writes to. */
  readonly descriptor: number;
  /** To be called after the start: closes this process's copy of the descriptor, and gives what the program writes. */
  open(): Readable;
  /** To be called instead when the start failed. */
  discard(): void;
}

/** A pipe for both streams; undefined without the addon, since Node.js makes no pipe that two streams can share. */
export function createCombinedPipe(): CombinedPipe | undefined {
  const addon = loadAddon();
  if (addon instanceof Error) return undefined;
  const { read, write } = addon.createPipe();
  return {
    descriptor: write,
    open(): Readable {
      closeSync(write);
      return new Socket({ fd: read, readable: true, writable: false });
    },
    discard(): void {
      closeSync(write);
      closeSync(read);
    },
  };
}
