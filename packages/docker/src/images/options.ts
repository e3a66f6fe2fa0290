/** What a pull is doing. Bytes are those of compressed layers. */
export type PullProgress =
  | {
      readonly phase: "download" | "unpack";
      readonly layer: string;
      readonly bytes: number;
      readonly totalBytes: number;
    }
  /** The layer was there already. */
  | { readonly phase: "exists"; readonly layer: string }
  /** The layer is complete. */
  | { readonly phase: "complete"; readonly layer: string }
  | { readonly phase: "done"; readonly reference: string };

/** Who pulls. */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly identityToken: string };

/** How an image gets to the daemon. */
export interface PullOptions {
  /** `missing`: when the daemon does not have it; `always`: look for a newer one; `never`. @default "missing" */
  readonly pull?: "missing" | "always" | "never";
  /** `linux/arm64` or the like. @default the daemon's own */
  readonly platform?: string;
  /** @default those of docker(1)'s config.json and its credential helpers */
  readonly credentials?: RegistryCredentials;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Gives up connecting and pulling. */
  readonly signal?: AbortSignal;
}
