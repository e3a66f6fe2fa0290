import { readFile } from "node:fs/promises";

/** The first block of TypeScript in a README. */
export async function exampleIn(readme: URL): Promise<string> {
  const code = /^```ts\n(.*?)^```$/ms.exec(await readFile(readme, "utf8"))?.[1];
  if (code === undefined) throw new Error(`${readme.href} has no example`);
  return code;
}

/** Runs an example with these modules to import, and returns the lines that it prints. */
export async function runExample(code: string, modules: Readonly<Record<string, unknown>>): Promise<string[]> {
  const printed: string[] = [];
  const log = (...values: unknown[]): void => void printed.push(values.join(" "));
  const body = code.replaceAll(/^import (\{[^}]*\}) from ("[^"]*");$/gm, "const $1 = modules[$2];");
  const AsyncFunction = Object.getPrototypeOf(runExample).constructor as new (
    ...args: string[]
  ) => (modules: unknown, console: unknown) => Promise<void>;
  await new AsyncFunction("modules", "console", body)(modules, { log });
  return printed;
}
