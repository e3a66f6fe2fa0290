import type { SshAuthentication, SshOptions, UnknownHost } from "@anyproc/ssh";
import { harmless } from "../output.ts";
import { ask } from "./ask.ts";

/** Asks for what lets us in, once keys and agent have not: passphrases of keys, and what the server wants to know. */
export function askingAuthentication(host: string): SshAuthentication {
  return {
    passphrase: askPassphrase,
    password: () => ask(`password for ${host}: `, { isSecret: true }),
    async answerPrompts(prompts, instructions) {
      const answers: string[] = [];
      for (const [index, { text, echo }] of prompts.entries()) {
        const introduction = index === 0 && instructions !== "" ? `${instructions}\n` : "";
        answers.push(await ask(harmless(`${introduction}${host}: ${text}`), { isSecret: !echo }));
      }
      return answers;
    },
  };
}

/** Asks for the passphrase of a key. */
export function askPassphrase(path: string): Promise<string> {
  return ask(`passphrase for ${path}: `, { isSecret: true });
}

/** Asks whether a host is who it says. */
export const askAboutHost: NonNullable<Exclude<SshOptions["acceptNew"], boolean>> = async (host: UnknownHost) => {
  const { name, keyType, fingerprint, file } = host;
  let question = `${name} is not known yet. It presents ${keyType} ${fingerprint}.\nAdd that to ${file} and go on? (yes/no) `;
  for (;;) {
    const answer = (await ask(question, { isSecret: false })).trim().toLowerCase();
    if (answer === "yes") return true;
    if (answer === "no" || answer === "") return false;
    question = "Type yes or no: ";
  }
};
