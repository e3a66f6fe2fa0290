import { randomBytes } from "node:crypto";

/** What the remote shell says before the program takes its place: its process id, or why there will be no program. */
export type Header =
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "no-cwd" }
  /** The stream ended without a header; `text` is what came instead. */
  | { readonly kind: "missing"; readonly text: string };

// Enough of the login's own noise for a message.
const keptNoise = 4096;

/**
 * Looks for the line `RS key word` at the start of a stream, RS being the control character 036. What comes before it
 * was written by the login's start-up files, not by the program, and is dropped.
 */
export class CommandHeader {
  /** Cannot be guessed, so that no start-up file's output is taken for a header. */
  readonly key: string = randomBytes(8).toString("hex");
  readonly found: Promise<Header>;
  #resolve: (header: Header) => void = () => {};
  #seen: Buffer = Buffer.alloc(0);

  constructor() {
    this.found = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Takes a chunk of the stream. Returns what follows the header once that is complete. */
  take(chunk: Buffer): Buffer | undefined {
    this.#seen = Buffer.concat([this.#seen, chunk]);
    const mark = `\x1e${this.key} `;
    const start = this.#seen.indexOf(mark);
    const end = start < 0 ? -1 : this.#seen.indexOf("\n", start);
    if (end < 0) {
      if (start < 0 && this.#seen.length > keptNoise) this.#seen = this.#seen.subarray(-keptNoise);
      return undefined;
    }
    const word = this.#seen.toString("latin1", start + mark.length, end).trim();
    this.#resolve(word === "cwd" ? { kind: "no-cwd" } : { kind: "started", pid: Number(word) });
    return this.#seen.subarray(end + 1);
  }

  /** No byte follows. */
  end(): void {
    this.#resolve({ kind: "missing", text: this.#seen.toString("utf8").trim() });
  }
}
