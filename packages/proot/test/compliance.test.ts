import { compliance } from "@anyproc/compliance";
import { createProot, type ProotOptions } from "@anyproc/proot";
import { describe } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";

// This machine's own root is the one rootfs that every machine has.
function suite(name: string, options: Omit<ProotOptions, "rootfs">, repetitions = 1000): void {
  compliance(name, {
    setup: async () => ({ environment: await createProot({ rootfs: "/", ...options }) }),
    repetitions,
  });
}

describe.skipIf(engineIsMissing)("this machine's root as rootfs", () => {
  suite("proot", {});
  suite("proot without patched call sites", { patch: false }, 100);
  suite(
    "proot as the host's user, no directory cache, no kill on exit",
    { id: "host", cache: false, killOnExit: false },
    100,
  );
  suite("proot, neither patched call sites nor a directory cache", { patch: false, cache: false }, 100);
});
