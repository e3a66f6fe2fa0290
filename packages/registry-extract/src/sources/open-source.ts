import { parseReference } from "../image/reference.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";
import { openRegistry } from "./registry-source.ts";
import type { ImageSource } from "./source.ts";

export async function openSource(reference: string, options: RegistryOptions & { readonly signal?: AbortSignal }): Promise<ImageSource> {
  return openRegistry(parseReference(reference), options, options.signal);
}
