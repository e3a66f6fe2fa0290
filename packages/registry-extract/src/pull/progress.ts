/** How far a pull is. */
export type PullProgress =
  | { readonly phase: "resolve"; readonly reference: string }
  /** The manifest is known: these are the layers, lowest first. */
  | { readonly phase: "layers"; readonly layers: readonly { readonly digest: string; readonly totalBytes: number }[] }
  | {
      readonly phase: "download" | "unpack";
      /** From 0. */
      readonly layer: number;
      readonly digest: string;
      /** Compressed bytes so far. */
      readonly bytes: number;
      readonly totalBytes: number;
    }
  | { readonly phase: "done"; readonly directory: string; readonly digest: string };

/** Hears how far a pull is; it must not throw. */
export type OnProgress = (progress: PullProgress) => void;
