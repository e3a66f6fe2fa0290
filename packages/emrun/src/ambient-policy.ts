import { AsyncLocalStorage } from "node:async_hooks";
import { allowAll, type Policy } from "./policy.ts";

const storage = new AsyncLocalStorage<Policy>();

/** The policy of the surrounding runWithPolicy(), or allowAll. It is what runs that name no policy are checked by. */
export function currentPolicy(): Policy {
  return storage.getStore() ?? allowAll;
}

/**
 * Calls a function; every run that it starts, at once or later, is checked by this policy unless it names its own.
 *
 * @example
 * const policy = allowAll.withPolicy("deny").withRule("allow", trustedDigest);
 * await runWithPolicy(policy, () => handleRequest(request));
 */
export function runWithPolicy<T>(policy: Policy, callback: () => T): T {
  return storage.run(policy, callback);
}
