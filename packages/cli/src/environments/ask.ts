import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { AnyprocError } from "@anyproc/core";

/** How a question is asked. */
export interface AskOptions {
  /** What is typed is not shown. */
  readonly isSecret: boolean;
}

// tty(4): the terminal of this process, wherever its streams lead.
const openTerminal = (): number => openSync("/dev/tty", "r+");

/** Whether a person looks at this process, who can be asked. */
export function isPersonThere(): boolean {
  if (!process.stdin.isTTY && !process.stderr.isTTY) return false;
  try {
    closeSync(openTerminal());
    return true;
  } catch {
    return false;
  }
}

/** Asks at the terminal, so that stdin and stdout stay the program's. Ctrl-C ends this process, as it does anywhere. */
export async function ask(question: string, { isSecret }: AskOptions): Promise<string> {
  const fd = openTerminal();
  const input = new ReadStream(fd);
  const output = new Writable({
    write(chunk: Buffer, _encoding, callback): void {
      if (!isSecret) writeSync(fd, chunk);
      callback();
    },
  });
  const reader = createInterface({ input, output, terminal: true, historySize: 0 });
  try {
    // Only now nothing of what is typed shows.
    if (isSecret) writeSync(fd, question);
    return await new Promise((resolve, reject) => {
      reader.once("SIGINT", () => {
        reject(new AnyprocError("ANYPROC_INTERRUPTED", "interrupted while it asked: run it again"));
        reader.close();
        process.kill(process.pid, "SIGINT");
      });
      reader.question(isSecret ? "" : question, resolve);
      reader.once("close", () => resolve(""));
    });
  } finally {
    reader.close();
    writeSync(fd, isSecret ? "\n" : "");
    input.destroy();
  }
}
