import type { Argument } from "./command.ts";

/** One word of POSIX shell text that stands for this text ("Quoting", POSIX.1-2024 XCU 2.2). */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A POSIX shell script that replaces the shell by the program, with exactly these arguments. It is valid UTF-8
 * whatever the arguments hold: bytes that are not text are spelled as octal escapes of printf(1).
 */
export function execScript(argv: readonly Argument[]): string {
  const assignments: string[] = [];
  const words = argv.map((argument, index) => {
    const text = typeof argument === "string" ? argument : decodeUtf8(argument);
    if (text !== undefined) return quoteForShell(text);
    const octal = Array.from(argument as Uint8Array, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    // Command substitution drops final newlines: the x guards them.
    assignments.push(`a${index}=$(printf '${octal}x'); `);
    return `"\${a${index}%x}"`;
  });
  return `${assignments.join("")}exec ${words.join(" ")}`;
}

/** The text that these bytes spell in UTF-8, or undefined when they spell none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
