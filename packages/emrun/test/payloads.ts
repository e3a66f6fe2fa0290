import { readFileSync } from "node:fs";

export function script(text: string): Uint8Array {
  return Buffer.from(`#!/bin/sh\n${text}\n`);
}

/** An executable that is linked dynamically. */
export function dynamicExecutable(): Uint8Array {
  return readFileSync("/bin/cat");
}

/** An ELF header for this word size and byte order, and nothing else. */
export function elfHeader({ machine, type = 2 }: { machine: number; type?: number }): Uint8Array {
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(type, 16);
  header.writeUInt16LE(machine, 18);
  return header;
}
