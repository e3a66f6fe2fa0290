import { readFile } from "node:fs/promises";
import { UsageError } from "../usage-error.ts";
import { parseVariable, type Variables } from "./variables.ts";

/**
 * Reads a file of variables in docker's format: one `NAME=VALUE` or `NAME` a line, blank lines and lines that start
 * with `#` left out, values taken as they are, quotes included.
 *
 * @throws UsageError that names the file, and the line where there is one
 */
export async function readEnvFile(file: string): Promise<Variables> {
  const bytes = await readFile(file).catch((error: Error) => {
    const reason = error.message.replace(/^(\w+: [^,]*),.*$/, "$1");
    throw new UsageError(`--env-file ${file}: cannot be read (${reason}): name a readable file of NAME=VALUE lines`);
  });
  const variables: Variables = {};
  for (const [index, line] of decode(bytes, file).split("\n").entries()) {
    Object.assign(variables, parseLine(line, `--env-file ${file}: line ${index + 1}`));
  }
  return variables;
}

function parseLine(line: string, where: string): Variables {
  const text = line.replace(/\r$/, "").trimStart();
  if (text === "" || text.startsWith("#")) return {};
  const name = text.split("=", 1)[0] ?? "";
  if (name === "") throw new UsageError(`${where}: there is no name before the "=": write NAME=VALUE, or NAME`);
  if (/\s/.test(name)) throw new UsageError(`${where}: ${JSON.stringify(name)} holds white space: write NAME=VALUE`);
  if (text.includes("\0")) throw new UsageError(`${where}: holds a NUL byte, which no variable can: remove it`);
  return parseVariable(text);
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    // It takes off the byte order mark that editors on Windows put first.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`--env-file ${file}: is not UTF-8 text: save it as UTF-8`);
  }
}
