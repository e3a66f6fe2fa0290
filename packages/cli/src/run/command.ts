import type { Command, SpawnOptions, UserIds } from "@anyproc/core";
import type { ProcessOptions } from "../commands/process-options.ts";
import { UsageError } from "../usage-error.ts";
import { parseVariable, type Variables } from "./variables.ts";

/** The command that the options common to run and exec describe. */
export async function commandOf(argv: readonly string[], options: ProcessOptions): Promise<Command> {
  const env: Variables = {};
  for (const file of options.envFile ?? []) {
    const { readEnvFile } = await import("./env-file.ts");
    Object.assign(env, await readEnvFile(file));
  }
  for (const text of options.env ?? []) Object.assign(env, parseVariable(text));
  return {
    argv: argv as unknown as Command["argv"],
    env,
    ...(options.workdir !== undefined && { cwd: options.workdir }),
    ...(options.user !== undefined && { user: parseUser(options.user) }),
  };
}

/** How long the options let it run. */
export function spawnOptionsOf(options: ProcessOptions): SpawnOptions {
  return {
    ...(options.timeout !== undefined && { timeoutMs: options.timeout * 1000 }),
    ...(options.killAfter !== undefined && { forceKillAfterMs: options.killAfter * 1000 }),
  };
}

/** Reads `UID[:GID]` or `NAME`. @throws UsageError */
function parseUser(text: string): UserIds | string {
  const [, uid, , gid] = /^(\d{1,10})(:(\d{1,10}))?$/.exec(text) ?? [];
  if (uid !== undefined) return { uid: Number(uid), ...(gid !== undefined && { gid: Number(gid) }) };
  if (text === "" || text.includes(":")) throw new UsageError(`--user ${text}: give UID, UID:GID or a user's name`);
  return text;
}
