import { invalidOption } from "../errors.ts";
import type { TmpfsMapping, VolumeMapping } from "./options.ts";

/** A mount in the words of the Docker Engine API. */
export interface MountConfig {
  readonly Type: "bind" | "volume" | "tmpfs";
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

/** @throws ANYPROC_INVALID_OPTION */
export function mountConfig(
  volumes: readonly (VolumeMapping | string)[],
  tmpfs: readonly (TmpfsMapping | string)[],
): MountConfig[] {
  return [...volumes.map(volumeMount), ...tmpfs.map(tmpfsMount)];
}

function volumeMount(volume: VolumeMapping | string): MountConfig {
  const { source, target, readOnly = false } = typeof volume === "string" ? parseVolume(volume) : volume;
  checkTarget("volume", target);
  return {
    Type: source !== undefined && isPath(source) ? "bind" : "volume",
    ...(source !== undefined && { Source: source }),
    Target: target,
    ReadOnly: readOnly,
  };
}

/** Reads docker's syntax, `[SOURCE:]TARGET[:ro]`. @throws ANYPROC_INVALID_OPTION */
export function parseVolume(text: string): VolumeMapping {
  // A source of Windows begins with a letter and a colon.
  const [, source, target, mode] = /^(?:((?:[A-Za-z]:)?[^:]+):)?([^:]+?)(?::(ro|rw))?$/.exec(text) ?? [];
  if (target === undefined) throw invalidOption(`volume ${text}: write SOURCE:TARGET, with :ro to make it read-only`);
  if (source !== undefined && !isPath(source) && !/^[a-zA-Z0-9][\w.-]*$/.test(source)) {
    throw invalidOption(`volume ${text}: the source is an absolute path, or a name of letters, digits and _.-`);
  }
  return { target, ...(source !== undefined && { source }), ...(mode === "ro" && { readOnly: true }) };
}

function tmpfsMount(tmpfs: TmpfsMapping | string): MountConfig {
  const { target, sizeBytes, mode = 0o1777 } = typeof tmpfs === "string" ? { target: tmpfs } : tmpfs;
  checkTarget("tmpfs", target);
  return {
    Type: "tmpfs",
    Target: target,
    TmpfsOptions: { Mode: mode, ...(sizeBytes !== undefined && { SizeBytes: sizeBytes }) },
  };
}

function isPath(source: string): boolean {
  return /^(\/|[A-Za-z]:[\\/])/.test(source);
}

function checkTarget(kind: string, target: string): void {
  if (!target.startsWith("/") || target === "/") {
    throw invalidOption(
      `${kind} ${JSON.stringify(target)}: the target is an absolute path in the container, not / itself`,
    );
  }
}
