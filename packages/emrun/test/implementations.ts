import * as emrun from "@anyproc/emrun";
import * as efrun from "@anyproc/emrun/efrun";
import { loadAddon } from "../src/addon.ts";

/** Both entries, which every behaviour is tested through. */
export const implementations = [
  { name: "emrun", functions: emrun as typeof efrun },
  { name: "efrun", functions: efrun },
] as const;

/** False where payloads cannot run from memory, for tests of just that. */
export const hasAddon: boolean = !(loadAddon() instanceof Error);

// Where everything is to be tested, nothing may be left out without a word.
if (process.env["CI"] && !hasAddon) throw loadAddon();
