/** A server's demand for credentials, from a WWW-Authenticate header. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/** Reads a WWW-Authenticate header (RFC 9110, section 11.6.1), which may hold several challenges. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let position = 0;

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = position;
    const found = pattern.exec(header);
    if (!found) return undefined;
    position = pattern.lastIndex;
    return found[1] ?? found[0];
  }

  while (position < header.length) {
    match(/[\s,]*/y);
    const word = match(token);
    if (word === undefined) break;
    const current = challenges.at(-1);
    if (current && match(/\s*=\s*/y) !== undefined) {
      const value = match(quoted)?.replaceAll(/\\(.)/g, "$1") ?? match(token);
      if (value === undefined) break;
      current.parameters[word.toLowerCase()] = value;
    } else {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    }
  }
  return challenges;
}
