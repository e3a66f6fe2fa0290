import type { Exit, Process, PtySize } from "@anyproc/core";
import { createHost } from "@anyproc/host";
import { onTestFinished } from "vitest";

const longestWaitMs = 60_000;

/** A program on a terminal, and what a person in front of it would do. */
export interface Terminal {
  readonly process: Process;
  /** Everything that was shown so far. */
  shown(): string;
  /** Resolves with the match when the pattern has been shown after what was waited for before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  wait(): Promise<Exit>;
}

/** Runs a program on a new terminal, of which it leads the session. */
export async function openTerminal(
  argv: readonly [string, ...string[]],
  size: Required<PtySize> = { columns: 80, rows: 24 },
): Promise<Terminal> {
  const host = createHost();
  onTestFinished(() => host.close());
  const process = host.create({ argv, pty: size });
  let shown = "";
  let seen = 0;
  let look = (): void => {};
  process.forkStdout().on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    look();
  });
  await process.start();
  return {
    process,
    shown: () => shown,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(shown.slice(seen));
          if (!match) return;
          seen += match.index + match[0].length;
          look = () => {};
          resolve(match);
        };
        look();
        const giveUp = (what: string): void => reject(new Error(`${what} ${pattern}: ${JSON.stringify(shown)}`));
        AbortSignal.timeout(longestWaitMs).addEventListener("abort", () => giveUp("too long without"));
        void process.wait().then(() => {
          look();
          giveUp("it ended without");
        });
      }),
    type: (text) => void process.stdin.write(text),
    wait: () => process.wait(),
  };
}
