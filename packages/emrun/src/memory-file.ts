import { AnyprocError } from "@anyproc/core";
import { loadAddon } from "./addon.ts";
import type { PayloadFile } from "./payload-file.ts";
import { toSystemError } from "./system-error.ts";

/**
 * Puts a payload into a sealed memory file that is named by its digest: memfd_create(2), fcntl(2) F_ADD_SEALS.
 *
 * @throws ANYPROC_EMRUN_NO_MEMORY_FILE, and what loadAddon() gives, where there can be none
 */
export async function createMemoryFile(payload: Uint8Array): Promise<PayloadFile> {
  const addon = loadAddon();
  if (addon instanceof Error) throw addon;
  try {
    const { descriptor, digest } = await addon.createMemoryFile(payload);
    return { descriptor, path: undefined, digest, release: async () => addon.closeDescriptor(descriptor) };
  } catch (error) {
    const { code, syscall, message } = toSystemError(error) as NodeJS.ErrnoException;
    const isForbidden = code === "EACCES" && syscall === "memfd_create";
    const why = isForbidden ? "; sysctl vm.memfd_noexec is 2, which forbids executable ones" : "";
    throw new AnyprocError("ANYPROC_EMRUN_NO_MEMORY_FILE", `no memory file can be made: ${message}${why}`, {
      cause: error,
    });
  }
}
