import * as emrun from "@anyproc/emrun";
import * as efrun from "@anyproc/emrun/efrun";
import { loadAddon } from "../src/addon.ts";
import { available } from "./available.ts";

/** Both entries, which every behaviour is tested through. */
export const implementations = [
  { name: "emrun", functions: emrun as typeof efrun },
  { name: "efrun", functions: efrun },
] as const;

const addon = loadAddon();

/** False where payloads cannot run from memory, for tests of just that. */
export const hasAddon: boolean = available(addon instanceof Error ? addon.message : undefined);
