import type { Platform } from "../image/platform.ts";
import type { ImageLimits } from "../layers/limits.ts";
import type { FilterOptions } from "../layers/path-filter.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";
import type { OnProgress } from "./progress.ts";

/** How an image is found: by everything that reads one. */
export interface ImageOptions extends RegistryOptions {
  /** `OS/ARCHITECTURE[/VARIANT]`. @default this machine's */
  readonly platform?: Platform | string;
  /** Where blobs, manifests and unpacked layers are kept. @default `$ANYPROC_HOME/images`, or below XDG_DATA_HOME */
  readonly cacheDirectory?: string;
  /** Use what is in the cache, and ask no registry. @default false */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** How an image is unpacked. */
export interface PullOptions extends ImageOptions, ImageLimits, FilterOptions {
  /**
   * `flat`: one directory with everything. `stacked`: each layer is unpacked once and shared by all images that have it,
   * with its whiteouts, ready for a copy-on-write stack; the directory is made empty, and holds on to the layers for as
   * long as it exists. Filters do not apply then.
   *
   * @default "flat"
   */
  readonly layers?: "flat" | "stacked";
  /** Layers that are fetched at once. @default 3 */
  readonly parallel?: number;
  /** Make owners and devices real; else they are written to the metadata file. @default true for root */
  readonly privileged?: boolean;
  /** Prune the cache down to so many bytes afterwards. @default 20 GiB */
  readonly maxCacheBytes?: number;
  readonly onProgress?: OnProgress;
}
