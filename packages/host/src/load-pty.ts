import { createRequire } from "node:module";
import type { PtyModule } from "@anyproc/core/child-process";

const require = createRequire(import.meta.url);
const library = "@lydell/node-pty";

/** True when the terminal library is there; it is not loaded for the answer. */
export function isPtyInstalled(): boolean {
  try {
    require.resolve(library);
    return true;
  } catch {
    return false;
  }
}

/** The terminal library; only who asks for a terminal pays for it. */
export async function loadPty(): Promise<PtyModule> {
  return require(library) as PtyModule;
}
