import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { available } from "./available.ts";

const directory = fileURLToPath(new URL("..", import.meta.url));

// Node.js 20 reads no TypeScript: there, another process needs the built packages.
const readsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);

/** Whether modules can run in a Node.js process of their own here. */
export const canRunModules: boolean = available(
  readsTypeScript || existsSync(`${directory}/dist/index.js`)
    ? undefined
    : "this Node.js reads no TypeScript, and nothing is built: pnpm build",
);

const conditions = readsTypeScript ? ["--conditions=@anyproc/source", "--no-warnings"] : [];

/** The arguments that make this Node.js run the text of a module, which may import this package. */
export function moduleArguments(text: string): string[] {
  return [...conditions, "--input-type=module", "--eval", text];
}

/** Runs a module in a process of its own, behind another command if there is one, and gives what it prints. */
export async function runModule(
  text: string,
  options: { prefix?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const [file = "", ...args] = [...(options.prefix ?? []), process.execPath, ...moduleArguments(text)];
  return runFile(file, args, options.env);
}

/** Runs a program of test/fixtures in a process of its own, and gives what it prints. */
export async function runFixture(name: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  return runFile(process.execPath, [...conditions, `test/fixtures/${name}`, ...args], env);
}

async function runFile(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const options = { cwd: directory, env: { ...process.env, ...env }, timeout: 120_000 };
  const { stdout } = await promisify(execFile)(file, args, options);
  return stdout;
}
