import { close } from "node:fs";
import { promisify } from "node:util";

/** Closes a descriptor that no FileHandle owns. */
export const closeDescriptor: (descriptor: number) => Promise<void> = promisify(close);
