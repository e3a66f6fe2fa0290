import { AnyprocError } from "@anyproc/core";
import { type DigestSource, parseDigest, parseDigests } from "./digests.ts";

/** What a policy says of a payload. */
export type Verdict = "allow" | "deny";

/**
 * Which payloads may run: a verdict for everything, and rules for single digests that go before it. Of several rules
 * for one digest the last one counts. A policy never changes: every method gives a new one.
 */
export interface Policy {
  /** The verdict for payloads that no rule names. */
  readonly verdict: Verdict;
  /** This policy with another verdict for payloads that no rule names. @throws ANYPROC_EMRUN_INVALID_VERDICT */
  withPolicy(verdict: Verdict): Policy;
  /**
   * This policy with a rule for each of the digests.
   *
   * @throws ANYPROC_EMRUN_INVALID_VERDICT, ANYPROC_EMRUN_INVALID_DIGEST
   */
  withRule(verdict: Verdict, ...digests: readonly DigestSource[]): Policy;
  /** As withRule(), for digests that may be wrong: what withRule() would throw comes with this policy, unchanged. */
  tryWithRule(verdict: Verdict, ...digests: readonly DigestSource[]): { policy: Policy; error?: AnyprocError };
  /** What this policy says of one payload. @throws ANYPROC_EMRUN_INVALID_DIGEST */
  verdictOf(digest: string): Verdict;
}

/** A payload that the policy denies. It has not been executed. */
export class PolicyError extends AnyprocError {
  override readonly name: string = "PolicyError";
  readonly verdict: Verdict = "deny";
  /** SHA-256 in hexadecimal. */
  readonly digest: string;

  constructor(digest: string) {
    super(
      "ANYPROC_EMRUN_DENIED",
      `emrun: deny digest ${digest}: execution denied by policy; a rule for this digest would allow it`,
    );
    this.digest = digest;
  }
}

/** The policy that lets every payload run, and the one that others are derived from. */
export const allowAll: Policy = createPolicy("allow", new Map());

/**
 * Fails unless the policy allows the payload.
 *
 * @throws PolicyError (ANYPROC_EMRUN_DENIED)
 */
export function checkPolicy(policy: Policy, digest: string): void {
  if (typeof policy?.verdictOf !== "function") {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      "policy is no policy: derive one from allowAll, or leave it unset",
    );
  }
  if (policy.verdictOf(digest) !== "allow") throw new PolicyError(digest);
}

function createPolicy(verdict: Verdict, rules: ReadonlyMap<string, Verdict>): Policy {
  function withRule(rule: Verdict, ...sources: readonly DigestSource[]): Policy {
    checkVerdict(rule);
    const derived = new Map(rules);
    for (const digest of parseDigests(sources)) derived.set(digest, rule);
    return createPolicy(verdict, derived);
  }

  const policy: Policy = Object.freeze({
    verdict,
    withPolicy(other: Verdict): Policy {
      checkVerdict(other);
      return createPolicy(other, rules);
    },
    withRule,
    tryWithRule(rule: Verdict, ...sources: readonly DigestSource[]): { policy: Policy; error?: AnyprocError } {
      try {
        return { policy: withRule(rule, ...sources) };
      } catch (error) {
        if (error instanceof AnyprocError) return { policy, error };
        throw error;
      }
    },
    verdictOf(digest: string): Verdict {
      return rules.get(parseDigest(digest)) ?? verdict;
    },
  });
  return policy;
}

function checkVerdict(verdict: Verdict): void {
  if (verdict !== "allow" && verdict !== "deny") {
    throw new AnyprocError(
      "ANYPROC_EMRUN_INVALID_VERDICT",
      `${JSON.stringify(verdict)} is no verdict: give "allow" or "deny"`,
    );
  }
}
