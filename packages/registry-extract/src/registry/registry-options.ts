import type { Credentials } from "./credentials.ts";

/** How registries are reached; every pull and push takes these. */
export interface RegistryOptions {
  /** The login for the image's registry. @default what docker's and podman's config files say */
  readonly credentials?: Credentials;
  /** Files with certificates in PEM form that are trusted too. @default none */
  readonly caFiles?: readonly string[];
  /** Speak http, not https. @default only to loopback, and only where nothing there speaks https */
  readonly plainHttp?: boolean;
  /** Other addresses that are asked first, by registry: `{"docker.io": ["https://mirror.example"]}`. @default none */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** How often a request or a broken download is tried again. @default 5 */
  readonly retries?: number;
  /** The pause before the first repetition, in milliseconds; it doubles each time. @default 300 */
  readonly retryDelayMs?: number;
  /** The longest pause that a registry may ask for (Retry-After), in milliseconds. @default 60000 */
  readonly mostRetryDelayMs?: number;
  /** How long a server may say nothing, in milliseconds. @default 30000 */
  readonly idleTimeoutMs?: number;
}
