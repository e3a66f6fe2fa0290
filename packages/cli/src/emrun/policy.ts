import { createReadStream } from "node:fs";
import type { Policy, Verdict } from "@anyproc/emrun";
import type { EmrunOptions } from "../commands/emrun.ts";
import { UsageError } from "../usage-error.ts";

type Emrun = typeof import("@anyproc/emrun");

/** The policy that the options describe: deny goes before allow, and both before the default. */
export async function policyOf(emrun: Emrun, options: EmrunOptions): Promise<Policy> {
  const { allow = [], deny = [] } = options;
  const verdict = options.default ?? (allow.length > 0 ? "deny" : "allow");
  let policy = emrun.allowAll.withPolicy(verdict as Verdict);
  for (const source of allow) policy = policy.withRule("allow", await digestsOf(emrun, "--allow", source));
  for (const source of deny) policy = policy.withRule("deny", await digestsOf(emrun, "--deny", source));
  return policy;
}

async function digestsOf(emrun: Emrun, option: string, source: string): Promise<readonly string[]> {
  if (/^[0-9a-f]{64}$/i.test(source)) return [source];
  try {
    return await emrun.readDigests(createReadStream(source));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${option} ${source}: ${reason}: give 64 hexadecimal digits, or a file that sha256sum wrote`);
  }
}
