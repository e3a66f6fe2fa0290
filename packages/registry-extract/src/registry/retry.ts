import { setTimeout as sleep } from "node:timers/promises";

/** How persistent requests are. */
export interface RetryOptions {
  /** How often a request is sent again. */
  readonly retries: number;
  /** The first pause, in milliseconds; each next one is twice as long. */
  readonly delayMs: number;
  /** The longest pause that is waited for, in milliseconds; a server that asks for more gets an error. */
  readonly mostDelayMs: number;
}

// RFC 9110: 408 and 503 say so themselves, 429 with Retry-After (RFC 6585); the others come from gateways.
const temporary = new Set([408, 425, 429, 500, 502, 503, 504]);

/** True for an answer that may be another one later. */
export function isTemporary(status: number): boolean {
  return temporary.has(status);
}

/** What a Retry-After header asks for, in milliseconds: seconds or a date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Waits before attempt number `attempt` (from 1), as long as the server asked for, or ever longer with some chance in
 * it, so that many clients do not come back at once. False when there is no point in waiting.
 */
export async function pauseBeforeRetry(
  attempt: number,
  options: RetryOptions,
  askedMs?: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (attempt > options.retries || (askedMs ?? 0) > options.mostDelayMs) return false;
  const grown = Math.min(options.delayMs * 2 ** (attempt - 1), options.mostDelayMs);
  await sleep(askedMs ?? grown * (0.5 + Math.random() / 2), undefined, signal ? { signal } : {});
  return true;
}
