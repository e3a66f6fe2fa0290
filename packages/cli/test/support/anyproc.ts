import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The built command. `npm test` builds before it tests. */
const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/**
 * The words that start the command. Without the "--" Node itself would look for a file that `--env-file` names
 * anywhere on the line (nodejs/node#54232).
 */
export const anyprocArgv: readonly [string, ...string[]] = [process.execPath, "--", main];

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command with pipes, for tests that talk to it while it runs. */
export function startAnyproc(args: readonly string[], options: RunOptions = {}): ChildProcess {
  const [file, ...rest] = anyprocArgv;
  return spawn(file, [...rest, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs the command to its end. */
export async function anyproc(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = startAnyproc(args, options);
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : Promise.resolve(""))),
  );
  await closed;
  return { exitCode: child.exitCode, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/** Runs the command with a timeout that is twice as long each time, until it is enough for the program to speak. */
export async function withTimeEnough(run: (seconds: string) => Promise<Outcome>): Promise<Outcome> {
  for (let seconds = 1; ; seconds *= 2) {
    const outcome = await run(String(seconds));
    if (outcome.stdout !== "") return outcome;
  }
}
