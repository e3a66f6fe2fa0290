import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const directory = fileURLToPath(new URL("..", import.meta.url));

// Node.js 20 reads no TypeScript: there, another process needs the built packages.
const readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

/** Whether modules can run in a Node.js process of their own here; without it, `pnpm build` is missing. */
export const canRunModules: boolean = readsTypeScript || existsSync(`${directory}/dist/index.js`);

/** The arguments that make this Node.js run the text of a module, which may import this package. */
export function moduleArguments(text: string): string[] {
  const conditions = readsTypeScript ? ["--conditions=@anyproc/source", "--no-warnings"] : [];
  return [...conditions, "--input-type=module", "--eval", text];
}

/** Runs a module in a process of its own, behind another command if there is one, and gives what it prints. */
export async function runModule(
  text: string,
  options: { prefix?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const [file = "", ...args] = [...(options.prefix ?? []), process.execPath, ...moduleArguments(text)];
  const env = { ...process.env, ...options.env };
  const { stdout } = await promisify(execFile)(file, args, { cwd: directory, env, timeout: 20_000 });
  return stdout;
}
