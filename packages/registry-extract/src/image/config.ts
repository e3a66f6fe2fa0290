import type { ImageSettings } from "@anyproc/core";
import { imageError } from "../errors.ts";
import { isRecord, textValues } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { parseJsonObject } from "./parse-json.ts";
import type { Platform } from "./platform.ts";

/** How an image wants to be run, and what it is made of: what is left of its config for those who run it. */
export interface ImageConfig extends ImageSettings {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created?: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
}

/**
 * Reads the JSON that a manifest's config points to (OCI image-spec, config.md; Docker's has the same members).
 *
 * @throws ANYPROC_IMAGE_INVALID
 */
export function parseImageConfig(name: string, bytes: Buffer): ImageConfig {
  const what = `${name}: image config`;
  const json = parseJsonObject(what, bytes);
  const config = isRecord(json["config"]) ? json["config"] : {};
  const rootfs = isRecord(json["rootfs"]) ? json["rootfs"] : {};
  const diffIds = rootfs["diff_ids"] ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw imageError("ANYPROC_IMAGE_INVALID", `${what}: rootfs.diff_ids is not a list of digests`);
  }
  const variant = text(json["variant"]);
  const stopSignal = text(config["StopSignal"]);
  const created = text(json["created"]);
  return {
    platform: {
      os: text(json["os"]),
      architecture: text(json["architecture"]),
      ...(variant !== "" && { variant }),
    },
    env: texts(config["Env"]),
    entrypoint: texts(config["Entrypoint"]),
    cmd: texts(config["Cmd"]),
    user: text(config["User"]),
    workdir: text(config["WorkingDir"]),
    ports: keys(config["ExposedPorts"]),
    volumes: keys(config["Volumes"]),
    labels: isRecord(config["Labels"]) ? textValues(config["Labels"]) : {},
    ...(stopSignal !== "" && { stopSignal }),
    ...(created !== "" && { created }),
    diffIds,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function keys(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value).sort() : [];
}
