import type { ImageSettings } from "@anyproc/core";
import type { ImageInspectInfo } from "dockerode";

/** What the daemon says of how an image wants to be run. */
export function imageSettings(config: ImageInspectInfo["Config"] | undefined): ImageSettings {
  const { StopSignal } = (config ?? {}) as { readonly StopSignal?: string };
  return {
    env: config?.Env ?? [],
    entrypoint: texts(config?.Entrypoint),
    cmd: texts(config?.Cmd),
    user: config?.User ?? "",
    workdir: config?.WorkingDir ?? "",
    ports: Object.keys(config?.ExposedPorts ?? {}).sort(),
    volumes: Object.keys(config?.Volumes ?? {}).sort(),
    labels: config?.Labels ?? {},
    ...(StopSignal && { stopSignal: StopSignal }),
  };
}

function texts(value: string | readonly string[] | null | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []);
}
