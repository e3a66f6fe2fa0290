import { AnyprocError } from "@anyproc/core";
import type { AnyAuthMethod, AuthenticationType, Prompt as Ssh2Prompt } from "ssh2";
import type { Prompt, SshAuthentication } from "../options.ts";
import type { Destination } from "./destination.ts";
import { type LockedKey, readPrivateKey, readUsualKey, reveal, type UsableKey } from "./private-keys.ts";
import type { SilenceTimer } from "./silence-timer.ts";

/** One way to enter that can still be tried. */
interface Attempt {
  /** The method's name in RFC 4252 and RFC 4256, which the server lists. */
  readonly method: "publickey" | "password" | "keyboard-interactive";
  /** For messages; never a secret. */
  readonly name: string;
  /** Undefined when there is nothing to offer after all. */
  readonly credentials: (silence: SilenceTimer) => Promise<AnyAuthMethod | undefined>;
}

/** Goes through the ways to enter a server, one after the other, as the server asks for them. */
export interface Authenticator {
  /** The next thing to try, or false when nothing is left. `accepted` is what the server still takes; null: not known. */
  next(accepted: readonly AuthenticationType[] | null, silence: SilenceTimer): Promise<AnyAuthMethod | false>;
  /** What to say when the server let nobody in. */
  failure(cause: unknown): AnyprocError;
}

// As often as ssh(1) asks a person, by default.
const tries = 3;

/** Keys are read now, so that a bad one fails before the server is bothered; other secrets when their turn comes. */
export async function authenticator(destination: Destination): Promise<Authenticator> {
  const { attempts: remaining, locked } = await listAttempts(destination);
  const tried = new Set<string>();
  let accepted: readonly string[] | undefined;

  return {
    async next(acceptedNow, silence) {
      accepted = acceptedNow ?? accepted;
      for (;;) {
        const index = remaining.findIndex((attempt) => accepted?.includes(attempt.method) ?? true);
        const attempt = remaining.splice(index, 1)[0];
        if (index < 0 || attempt === undefined) return false;
        const method = await silence.pauseFor(() => attempt.credentials(silence));
        if (!method) continue;
        tried.add(attempt.name);
        return method;
      }
    },
    failure(cause) {
      const takes = accepted ? `; it takes ${accepted.join(", ") || "nothing"}` : "";
      const refused = tried.size > 0 ? `the server refused ${[...tried].join(", ")}` : "there was nothing to try";
      const left = locked.length > 0 ? `; ${locked.join(", ")} is encrypted: add it to an agent with ssh-add` : "";
      return new AnyprocError(
        "ANYPROC_AUTHENTICATION_FAILED",
        `${destination.name}: ${refused}${takes}${left}: check the user name, and give a key, an agent or a password`,
        { cause },
      );
    },
  };
}

/** What can be tried, in this order, and the paths of keys that nobody can unlock. */
async function listAttempts(destination: Destination): Promise<{ attempts: Attempt[]; locked: string[] }> {
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
