import type { Argument } from "./command.ts";
import type { Environment } from "./environment.ts";
import { AnyprocError } from "./errors.ts";
import { type ExecOptions, type ExecResult, exec } from "./exec.ts";

/** What may stand in `${}`: one argument, or several. */
export type TemplateValue = Argument | number | readonly (Argument | number)[];

/** Runs the command that a template literal spells. */
export type TemplateTag = (text: TemplateStringsArray, ...values: readonly TemplateValue[]) => Promise<ExecResult>;

/**
 * A template tag that runs commands in an environment, with no shell in between.
 *
 * The text is split at white space; quotes group words and a backslash takes the next character as it is, as in sh(1).
 * A value is always part of exactly one argument, whatever it holds; an array is one argument each. The final newline
 * of the output is taken off, as `$(...)` does.
 *
 * @example
 * const run = $(createHost());
 * const { stdout } = await run`grep -c ${pattern} ${files}`;
 * @throws ANYPROC_INVALID_COMMAND for shell operators (`|`, `>`, `&`, `;`) outside quotes; and what exec() throws
 */
export function $(environment: Environment, options: ExecOptions = {}): TemplateTag {
  return async (text, ...values) =>
    exec(environment, parseTemplate(text.raw, values), { trimFinalNewline: true, ...options });
}

/** argv of a template literal's raw text and values; see $(). */
export function parseTemplate(text: readonly string[], values: readonly TemplateValue[]): Argument[] {
  const argv: Argument[] = [];
  let word: Argument | undefined;
  let quote: '"' | "'" | undefined;

  const append = (part: Argument): void => {
    if (word === undefined || word === "") word = part;
    else if (typeof word === "string" && typeof part === "string") word += part;
    else word = Buffer.concat([Buffer.from(word), Buffer.from(part)]);
  };
  const endWord = (): void => {
    if (word !== undefined) argv.push(word);
    word = undefined;
  };

  for (const [index, literal] of text.entries()) {
    for (let at = 0; at < literal.length; at += 1) {
      const character = literal.charAt(at);
      if (quote) {
        if (character === quote) quote = undefined;
        else if (character === "\\" && quote === '"' && /["\\$`\n]/.test(literal.charAt(at + 1))) {
          at += 1;
          if (literal.charAt(at) !== "\n") append(literal.charAt(at));
        } else append(character);
      } else if (character === '"' || character === "'") {
        quote = character;
        append("");
      } else if (character === "\\" && at + 1 < literal.length) {
        at += 1;
        if (literal.charAt(at) !== "\n") append(literal.charAt(at));
      } else if (/\s/.test(character)) {
        endWord();
      } else if (/[|&;<>]/.test(character)) {
        throw new AnyprocError(
          "ANYPROC_INVALID_COMMAND",
          `$ runs one program without a shell, so ${character} has no meaning: quote it, or run \${["sh", "-c", script]}`,
        );
      } else {
        append(character);
      }
    }
    if (index === values.length) break;
    const value = values[index];
    if (Array.isArray(value)) {
      for (const [position, item] of value.entries()) {
        if (position > 0 && !quote) endWord();
        else if (position > 0) append(" ");
        append(toArgument(item));
      }
    } else {
      append(toArgument(value));
    }
  }
  if (quote) throw new AnyprocError("ANYPROC_INVALID_COMMAND", `$: a ${quote} is opened and never closed`);
  endWord();
  return argv;
}

function toArgument(value: unknown): Argument {
  if (typeof value === "number") return String(value);
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw new AnyprocError(
    "ANYPROC_INVALID_COMMAND",
    `$: ${describe(value)} cannot be an argument: give text, bytes, a number, or an array of these`,
  );
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return Array.isArray(value) ? "an array in an array" : `a value of type ${typeof value}`;
}
