import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { buffer } from "node:stream/consumers";

/** How a command ended and what it said. */
export interface Outcome {
  readonly ended: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; output is latin1 text, so that no byte is lost and differences can be read. */
export async function run(argv: readonly string[], input = ""): Promise<Outcome> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
  const closed = new Promise<Outcome["ended"]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  // A command that does not read its input closes the pipe; that is its right.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [ended, stdout, stderr] = await Promise.all([closed, buffer(child.stdout), buffer(child.stderr)]);
  return { ended, stdout: stdout.toString("latin1"), stderr: stderr.toString("latin1") };
}

/** A step of the preparations: silent, and an error that carries what the tool said when it fails. */
export function prepare(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly stdin?: string } = {},
): void {
  const [file = "", ...args] = argv;
  const stdin = openSync(options.stdin ?? "/dev/null", "r");
  try {
    execFileSync(file, args, {
      cwd: options.cwd ?? "/",
      stdio: [stdin, "ignore", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
  } finally {
    closeSync(stdin);
  }
}

/** Where a program of this machine really lies, past all symbolic links. */
export function realPath(program: string): string {
  return execFileSync("sh", ["-c", 'realpath "$(command -v "$0")"', program], { encoding: "utf8" }).trim();
}
