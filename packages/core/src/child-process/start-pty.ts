import { Readable, Writable } from "node:stream";
import type { PtySize } from "../command.ts";
import { AnyprocError } from "../errors.ts";
import type { ProgramExit, RunningProgram } from "../process/starter.ts";
import { type SignalName, signalName } from "../signals.ts";
import { endTree } from "./end-tree.ts";
import type { LocalPtyProgram } from "./program.ts";

/** The part of a terminal from node-pty and its forks that is used here. */
export interface Pty {
  readonly pid: number;
  write(data: string | Buffer): void;
  resize(columns: number, rows: number): void;
  pause(): void;
  resume(): void;
  kill(signal?: string): void;
  onData(listener: (data: string | Buffer) => void): unknown;
  onExit(listener: (exit: { readonly exitCode: number; readonly signal?: number | undefined }) => void): unknown;
}

/** node-pty, or a fork with its interface. */
export interface PtyModule {
  spawn(
    file: string,
    args: string[],
    options: {
      readonly name: string;
      readonly cols: number;
      readonly rows: number;
      readonly cwd?: string;
      readonly env: Record<string, string>;
      readonly encoding: null;
      readonly uid?: number;
      readonly gid?: number;
    },
  ): Pty;
}

// What a terminal's line discipline reads as end of file: termios(3), VEOF.
const endOfTransmission = Buffer.from([4]);

/**
 * Starts a program on a terminal of its own. Its stdout and stderr are one stream.
 *
 * @param load imports the terminal library; it is called only here, so that nobody else pays for it
 * @throws ANYPROC_MISSING_PACKAGE when the library is not installed or does not load; ANYPROC_START_FAILED
 */
export async function startPty(program: LocalPtyProgram, load: () => Promise<PtyModule>): Promise<RunningProgram> {
  const library = await load().catch((error: unknown) => {
    throw new AnyprocError(
      "ANYPROC_MISSING_PACKAGE",
      "pty: @lydell/node-pty cannot be loaded: install it with `npm install @lydell/node-pty`, or run without a terminal",
      { cause: error },
    );
  });
  let pty: Pty;
  try {
    pty = library.spawn(program.file, [...program.args], {
      name: program.env["TERM"] ?? "xterm-256color",
      cols: program.size.columns,
      rows: program.size.rows,
      env: { ...program.env },
      encoding: null,
      ...(program.cwd !== undefined && { cwd: program.cwd }),
      ...(program.user && { uid: program.user.uid, gid: program.user.gid ?? program.user.uid }),
    });
  } catch (error) {
    throw new AnyprocError(
      "ANYPROC_START_FAILED",
      `${program.name}: no terminal could be made for it: ${String(error)}`,
      {
        cause: error,
      },
    );
  }
  const stdout = new Readable({ read: () => pty.resume() });
  pty.onData((data) => {
    if (!stdout.push(data)) pty.pause();
  });
  const exited = new Promise<ProgramExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      stdout.push(null);
      const name = signal ? (signalName(signal) ?? null) : null;
      resolve({ code: name === null ? exitCode : null, signal: name });
    });
  });
  let isRunning = true;
  void exited.then(() => {
    isRunning = false;
  });
  const killable = {
    pid: pty.pid,
    kill(signal: NodeJS.Signals): boolean {
      if (isRunning) pty.kill(signal);
      return isRunning;
    },
  };
  return {
    pid: pty.pid,
    stdin: new Writable({
      write(chunk: Buffer, _encoding, callback): void {
        if (isRunning) pty.write(chunk);
        callback();
      },
      final(callback): void {
        if (isRunning) pty.write(endOfTransmission);
        callback();
      },
    }),
    stdout,
    stderr: null,
    exited,
    signal(name: SignalName): void {
      killable.kill(name);
    },
    end: (options) => endTree(killable, options, exited),
    resize(size: Required<PtySize>): void {
      if (isRunning) pty.resize(size.columns, size.rows);
    },
  };
}
