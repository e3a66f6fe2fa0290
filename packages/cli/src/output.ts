import { writeSync } from "node:fs";

/** How much anyproc says of its own, and in which form. */
export interface OutputOptions {
  /** One JSON document on stdout. */
  readonly json?: boolean;
  /** Nothing but errors. */
  readonly quiet?: boolean;
  /** What is done, and why. */
  readonly verbose?: boolean;
}

/** Text with what somebody else may have put into it, a server or a file's name, unable to steer the terminal. */
export function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/**
 * Writes one line to stderr at once.
 *
 * `process.stderr` would make a pipe non-blocking (Node, "A note on process I/O"), and with it the program's stderr,
 * which is the same pipe: programs do not expect EAGAIN there.
 */
export function writeErrorLine(text: string): void {
  writeError(Buffer.from(`${harmless(text)}\n`));
}

/** Writes bytes to stderr at once. */
export function writeError(bytes: Uint8Array): void {
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(2, bytes, written);
  } catch (error) {
    // A full pipe that somebody else made non-blocking can wait in memory. Where nobody reads, nothing can be said.
    if (isSystemError(error, "EAGAIN")) process.stderr.write(bytes);
  }
}

/** What was asked for cannot be written to stdout: a disk is full, for instance. */
class OutputError extends Error {
  override readonly name: string = "OutputError";
  readonly code = "ANYPROC_OUTPUT_FAILED";
}

/** Writes to stdout. A reader that has seen enough (`| head`) is no failure. */
export function writeOutput(text: string): void {
  if (!process.stdout.listeners("error").includes(throwUnlessClosed)) process.stdout.on("error", throwUnlessClosed);
  try {
    process.stdout.write(text);
  } catch (error) {
    // Files are written at once.
    throwUnlessClosed(error as Error);
  }
}

function throwUnlessClosed(error: Error): void {
  if (isSystemError(error, "EPIPE")) return;
  throw new OutputError(`standard output cannot be written: ${error.message}: send it somewhere else`);
}

/** Writes the JSON document of a subcommand. */
export function writeJson(value: unknown): void {
  writeOutput(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Says on stderr what failed, and as a document on stdout when JSON was asked for. */
export function reportFailure(error: unknown, options: OutputOptions): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // Without a code of ours it is a defect, and the stack is what a report needs.
  const isExpected = typeof code === "string" && code.startsWith("ANYPROC_");
  writeErrorLine(isExpected ? `anyproc: ${message}` : `anyproc: internal error: ${stackOf(error)}`);
  if (isExpected && options.verbose && error instanceof Error && error.cause)
    writeErrorLine(`cause: ${stackOf(error.cause)}`);
  if (options.json && !(error instanceof OutputError))
    writeJson({ error: { code: isExpected ? code : "ANYPROC_INTERNAL", message } });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
