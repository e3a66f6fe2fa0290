import { AnyprocError } from "@anyproc/core";
import type { AnyAuthMethod, AuthenticationType, Prompt as Ssh2Prompt } from "ssh2";
import type { Prompt, SshAuthentication } from "../options.ts";
import type { Destination } from "./destination.ts";
import { readPrivateKey, readUsualKey, reveal } from "./private-keys.ts";
import type { SilenceTimer } from "./silence-timer.ts";

/** One way to enter that can still be tried. */
interface Attempt {
  /** The method's name in RFC 4252 and RFC 4256, which the server lists. */
  readonly method: "publickey" | "password" | "keyboard-interactive";
  /** For messages; never a secret. */
  readonly name: string;
  readonly credentials: (silence: SilenceTimer) => Promise<AnyAuthMethod>;
}

/** Goes through the ways to enter a server, one after the other, as the server asks for them. */
export interface Authenticator {
  /** The next thing to try, or false when nothing is left. `accepted` is what the server still takes; null: not known. */
  next(accepted: readonly AuthenticationType[] | null, silence: SilenceTimer): Promise<AnyAuthMethod | false>;
  /** What to say when the server let nobody in. */
  failure(cause: unknown): AnyprocError;
}

/** Keys are read now, so that a bad one fails before the server is bothered; other secrets when their turn comes. */
export async function authenticator(destination: Destination): Promise<Authenticator> {
  const remaining = await listAttempts(destination);
  const tried: string[] = [];
  let accepted: readonly string[] | undefined;

  return {
    async next(acceptedNow, silence) {
      accepted = acceptedNow ?? accepted;
      const index = remaining.findIndex((attempt) => accepted?.includes(attempt.method) ?? true);
      const attempt = remaining.splice(index, 1)[0];
      if (index < 0 || attempt === undefined) return false;
      tried.push(attempt.name);
      return silence.pauseFor(() => attempt.credentials(silence));
    },
    failure(cause) {
      const takes = accepted ? `; it takes ${accepted.join(", ") || "nothing"}` : "";
      const refused = tried.length > 0 ? `the server refused ${tried.join(", ")}` : "there was nothing to try";
      return new AnyprocError(
        "ANYPROC_AUTHENTICATION_FAILED",
        `${destination.name}: ${refused}${takes}: check the user name, and give a key, an agent or a password`,
        { cause },
      );
    },
  };
}

async function listAttempts({ user: username, auth, usualKeys }: Destination): Promise<Attempt[]> {
  const named = await Promise.all((auth.privateKeys ?? []).map(readPrivateKey));
  const usual = auth.privateKeys ? [] : await Promise.all(usualKeys.map(readUsualKey));
  const attempts: Attempt[] = [];
  for (const usable of [...named, ...usual]) {
    if (usable === undefined) continue;
    attempts.push({
      method: "publickey",
      name: `key ${usable.name}`,
      credentials: async () => ({ type: "publickey", username, key: usable.key }),
    });
  }
  const { agent, password, answerPrompts } = auth;
  if (agent) {
    attempts.push({
      method: "publickey",
      name: `the agent's keys (${agent})`,
      credentials: async () => ({ type: "agent", username, agent }),
    });
  }
  if (answerPrompts || password !== undefined) {
    attempts.push({
      method: "keyboard-interactive",
      name: "keyboard-interactive",
      credentials: async (silence) => ({ type: "keyboard-interactive", username, prompt: prompter(auth, silence) }),
    });
  }
  if (password !== undefined) {
    attempts.push({
      method: "password",
      name: "password",
      credentials: async () => ({ type: "password", username, password: await reveal(password) }),
    });
  }
  return attempts;
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
