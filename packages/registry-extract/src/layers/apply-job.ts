import type { BlobLocation } from "./blob-reader.ts";
import type { ImageLimits } from "./limits.ts";
import type { JobFilter } from "./path-filter.ts";
import type { WhiteoutForm } from "./whiteout-writer.ts";

/** A layer to apply. */
export interface LayerInput extends BlobLocation {
  /** Digest of the uncompressed layer; undefined when nobody said. */
  readonly diffId: string | undefined;
}

/** What a worker thread is told: layers, lowest first, into an empty directory. */
export interface ApplyJob {
  readonly root: string;
  /** Where to write what the file system cannot hold. */
  readonly metadataPath: string;
  readonly layers: readonly LayerInput[];
  readonly privileged: boolean;
  readonly limits: ImageLimits;
  readonly filter: JobFilter;
  readonly linkTargets: readonly string[];
  /** Keeps whiteouts, for one layer that is unpacked by itself. */
  readonly stacked?: {
    /** Directories of the lower layers, the uppermost first, for hard links into them; undefined: not known yet. */
    readonly lowers: readonly string[] | undefined;
  };
}

/** What came of a job. */
export interface ApplyResult {
  readonly entries: number;
  /** Uncompressed bytes of the layers. */
  readonly bytes: number;
  readonly diffIds: readonly string[];
  /** Hard links that need these files too, which the filter left out. */
  readonly missingTargets: readonly string[];
  readonly whiteouts: WhiteoutForm;
  /** True when there is a metadata file. */
  readonly hasMetadata: boolean;
}

/** What a worker thread says. */
export type ApplyMessage =
  | { readonly type: "progress"; readonly layer: number; readonly compressedBytes: number; readonly entries: number }
  /** Both digests of a layer have been found right. */
  | { readonly type: "verified"; readonly layer: number }
  | { readonly type: "done"; readonly result: ApplyResult }
  | {
      readonly type: "failed";
      readonly code: string;
      readonly message: string;
      /** The layer whose blob is not what its digest promises. */
      readonly damagedLayer: number | undefined;
    };
