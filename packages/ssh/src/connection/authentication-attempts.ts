import type { AnyAuthMethod, Prompt as Ssh2Prompt } from "ssh2";
import type { Prompt, SshAuthentication } from "../options.ts";
import type { Destination } from "./destination.ts";
import { type LockedKey, readPrivateKey, readUsualKey, reveal, type UsableKey } from "./private-keys.ts";
import type { SilenceTimer } from "./silence-timer.ts";

/** One way to enter that can still be tried. */
export interface Attempt {
  /** The method's name in RFC 4252 and RFC 4256, which the server lists. */
  readonly method: "publickey" | "password" | "keyboard-interactive";
  /** For messages; never a secret. */
  readonly name: string;
  /** Undefined when there is nothing to offer after all. */
  readonly credentials: (silence: SilenceTimer) => Promise<AnyAuthMethod | undefined>;
}

// As often as ssh(1) asks a person, by default.
const tries = 3;

/** What can be tried, in this order, and the paths of keys that nobody can unlock. @throws ANYPROC_PRIVATE_KEY_INVALID */
export async function listAttempts(destination: Destination): Promise<{ attempts: Attempt[]; locked: string[] }> {
  const { user: username, auth } = destination;
  const { agent, password, answerPrompts, passphrase } = auth;
  const { usable, locked } = await readKeys(destination);
  const attempts: Attempt[] = usable.map(({ name, key }) => ({
    method: "publickey",
    name: `key ${name}`,
    credentials: async () => ({ type: "publickey", username, key }),
  }));
  if (agent) {
    attempts.push({
      method: "publickey",
      name: `the agent's keys (${agent})`,
      credentials: async () => ({ type: "agent", username, agent }),
    });
  }
  for (const key of passphrase ? locked : []) {
    attempts.push({
      method: "publickey",
      name: `key ${key.path}`,
      credentials: async () => {
        const unlocked = await unlock(key, passphrase);
        return unlocked && { type: "publickey", username, key: unlocked.key };
      },
    });
  }
  const interactive: Attempt = {
    method: "keyboard-interactive",
    name: "keyboard-interactive",
    credentials: async (silence) => ({ type: "keyboard-interactive", username, prompt: prompter(auth, silence) }),
  };
  if (answerPrompts) attempts.push(...Array.from({ length: tries }, () => interactive));
  else if (password !== undefined) attempts.push(interactive);
  if (password !== undefined) {
    let last: string | undefined;
    const byPassword: Attempt = {
      method: "password",
      name: "password",
      credentials: async () => {
        const answer = await reveal(password);
        if (answer === last) return undefined;
        last = answer;
        return { type: "password", username, password: answer };
      },
    };
    attempts.push(...Array.from({ length: typeof password === "string" ? 1 : tries }, () => byPassword));
  }
  return { attempts, locked: passphrase ? [] : locked.map(({ path }) => path) };
}

async function readKeys({ auth, usualKeys }: Destination): Promise<{ usable: UsableKey[]; locked: LockedKey[] }> {
  if (auth.privateKeys) return { usable: await Promise.all(auth.privateKeys.map(readPrivateKey)), locked: [] };
  const usable: UsableKey[] = [];
  const locked: LockedKey[] = [];
  for (const key of await Promise.all(usualKeys.map(readUsualKey))) {
    if (key === undefined) continue;
    if ("unlock" in key) locked.push(key);
    else usable.push(key);
  }
  return { usable, locked };
}

/** The key, once somebody has said the right passphrase; one that nobody knows is passed over, as ssh(1) does. */
async function unlock(key: LockedKey, passphrase: SshAuthentication["passphrase"]): Promise<UsableKey | undefined> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const answer = await passphrase?.(key.path);
    if (answer === undefined || answer === "") return undefined;
    try {
      return key.unlock(answer);
    } catch {
      // Another try.
    }
  }
  return undefined;
}

function prompter(auth: SshAuthentication, silence: SilenceTimer) {
  return (
    _name: string,
    instructions: string,
    _language: string,
    asked: Ssh2Prompt[],
    finish: (answers: string[]) => void,
  ): void => {
    const prompts = asked.map(({ prompt, echo }) => ({ text: prompt, echo: echo ?? false }));
    silence
      .pauseFor(() => answer(auth, prompts, instructions))
      .then(
        (answers) => finish([...answers]),
        () => finish([]),
      );
  };
}

async function answer(
  auth: SshAuthentication,
  prompts: readonly Prompt[],
  instructions: string,
): Promise<readonly string[]> {
  if (auth.answerPrompts) return auth.answerPrompts(prompts, instructions);
  const isPassword = prompts.length === 1 && prompts[0]?.echo === false;
  return isPassword && auth.password !== undefined ? [await reveal(auth.password)] : [];
}
