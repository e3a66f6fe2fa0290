import { getSystemErrorName } from "node:util";
import { AnyprocError } from "@anyproc/core";
import { loadAddon } from "./addon.ts";
import { closeDescriptor } from "./close-descriptor.ts";
import type { PayloadFile } from "./payload-file.ts";

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
    return { descriptor, path: undefined, digest, release: () => closeDescriptor(descriptor) };
  } catch (error) {
    throw new AnyprocError("ANYPROC_EMRUN_NO_MEMORY_FILE", `no memory file can be made: ${describe(error)}`, {
      cause: error,
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return String(error);
  const name = getSystemErrorName(-error.errno);
  const isForbidden = name === "EACCES" && "syscall" in error && error.syscall === "memfd_create";
  return `${error.message} (${name})${isForbidden ? "; sysctl vm.memfd_noexec is 2, which forbids executable ones" : ""}`;
}
