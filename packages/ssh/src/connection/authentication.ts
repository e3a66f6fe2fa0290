import { AnyprocError } from "@anyproc/core";
import type { AnyAuthMethod, AuthenticationType } from "ssh2";
import { listAttempts } from "./authentication-attempts.ts";
import type { Destination } from "./destination.ts";
import type { SilenceTimer } from "./silence-timer.ts";

/** Goes through the ways to enter a server, one after the other, as the server asks for them. */
export interface Authenticator {
  /** The next thing to try, or false when nothing is left. `accepted` is what the server still takes; null: not known. */
  next(accepted: readonly AuthenticationType[] | null, silence: SilenceTimer): Promise<AnyAuthMethod | false>;
  /** What to say when the server let nobody in. */
  failure(cause: unknown): AnyprocError;
}

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
