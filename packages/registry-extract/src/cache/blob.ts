import type { Growth } from "./growth.ts";

/** A blob in a file, there or on its way. */
export interface Blob {
  readonly digest: string;
  readonly path: string;
  /** Where in the file it begins. */
  readonly offset: number;
  readonly size: number;
  /** How much is there; undefined when everything is. */
  readonly growth: Growth | undefined;
  /** Settles when everything is there. */
  readonly complete: Promise<void>;
  /** Takes it into the cache, once its digest has been found right. */
  accept(): Promise<void>;
  /** Throws it away, when its digest is wrong. */
  reject(): Promise<void>;
  /** True when what is there may have been damaged since it was fetched, so that fetching it again makes sense. */
  readonly isReused: boolean;
}
