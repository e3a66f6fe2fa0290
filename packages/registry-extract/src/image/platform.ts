import { imageError } from "../errors.ts";

/** What an image was made for, in the words of the OCI image-spec (Go's GOOS and GOARCH). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v6`, `v7`, `v8` on ARM; `v2`, `v3`, ... on amd64. */
  readonly variant?: string;
}

const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  ia32: "386",
  i386: "386",
  i686: "386",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
  loong64: "loong64",
  ppc64el: "ppc64le",
};

/** The platform of this machine; images are Linux's wherever Node runs. */
export function hostPlatform(): Platform {
  return normalize({ os: "linux", architecture: process.arch });
}

/**
 * Reads `OS/ARCHITECTURE[/VARIANT]`, or an architecture alone, which means Linux. Names of uname(1) and Debian are
 * taken for the image-spec's.
 *
 * @throws ANYPROC_INVALID_OPTION
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw imageError("ANYPROC_INVALID_OPTION", `platform ${JSON.stringify(text)}: write OS/ARCHITECTURE[/VARIANT]`);
  }
  if (parts.length === 1) return normalize({ os: "linux", architecture: parts[0] as string });
  const [os = "", architecture = "", variant] = parts;
  return normalize({ os: os.toLowerCase(), architecture, ...(variant !== undefined && { variant }) });
}

/** `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/**
 * How well an image for `offered` runs on `wanted`: undefined when it does not, else the higher the better. A newer
 * machine runs what was made for an older variant: arm/v8 runs v7, v6 and v5; amd64/v3 runs v2 and the plain one.
 */
export function platformScore(wanted: Platform, offered: Platform): number | undefined {
  const want = normalize(wanted);
  const offer = normalize(offered);
  if (want.os !== offer.os) return undefined;
  if (want.architecture === offer.architecture) {
    const limit = variantNumber(want);
    const level = variantNumber(offer);
    return level <= limit ? level + 1 : undefined;
  }
  return undefined;
}

function variantNumber({ architecture, variant }: Platform): number {
  const fallback = architecture === "arm" ? 7 : architecture === "arm64" ? 8 : architecture === "amd64" ? 1 : 0;
  const digits = variant === undefined ? undefined : /^v?(\d+)/.exec(variant)?.[1];
  return digits === undefined ? fallback : Number(digits);
}

function normalize(platform: Platform): Platform {
  const name = platform.architecture.toLowerCase();
  const architecture = Object.hasOwn(architectures, name) ? (architectures[name] as string) : name;
  const variant = platform.variant?.toLowerCase() || undefined;
  return { os: platform.os.toLowerCase(), architecture, ...(variant !== undefined && { variant }) };
}
