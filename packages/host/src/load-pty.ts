import { createRequire } from "node:module";
import type { PtyModule } from "@anyproc/core/child-process";

/** True when the terminal library is there; it is not loaded for the answer. */
export function isPtyInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("@lydell/node-pty");
    return true;
  } catch {
    return false;
  }
}

/** The terminal library; only who asks for a terminal pays for it. */
export async function loadPty(): Promise<PtyModule> {
  // Its types know no `encoding: null`, which its documentation has.
  return (await import("@lydell/node-pty")) as unknown as PtyModule;
}
