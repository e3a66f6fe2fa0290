import { constants } from "node:os";
import { Writable } from "node:stream";
import type { PtySize } from "../command.ts";
import { AnyprocError } from "../errors.ts";
import type { ProgramExit, RunningProgram } from "../process/starter.ts";
import type { SignalName } from "../signals.ts";
import { delayHangUp } from "./delay-hang-up.ts";
import { endTree } from "./end-tree.ts";
import type { LocalPtyProgram } from "./program.ts";
import type { Pty, PtyModule } from "./pty-library.ts";
import { ptyOutput } from "./pty-output.ts";

// What a terminal's line discipline reads as end of file: termios(3), VEOF.
const endOfTransmission = Buffer.from([4]);
const lineFeed = 10;

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
  const pty = openTerminal(program, library);
  if (pty._socket) delayHangUp(pty.pid, pty._socket);
  const stdout = ptyOutput(pty);
  let isRunning = true;
  const exited = new Promise<ProgramExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      isRunning = false;
      stdout.push(null);
      const name = signal ? localSignalName(signal) : null;
      resolve({ code: name === null ? exitCode : null, signal: name });
    });
  });
  const killable = {
    pid: pty.pid,
    kill(signal: NodeJS.Signals): boolean {
      if (isRunning) pty.kill(signal);
      return isRunning;
    },
  };
  let isAtLineStart = true;
  // Nobody will read from the terminal again: to the program it has been hung up.
  stdout.once("close", () => killable.kill("SIGHUP"));
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, callback): void {
      if (isRunning) pty.write(chunk);
      isAtLineStart = chunk.at(-1) === lineFeed;
      callback();
    },
    final(callback): void {
      // Within a line the first one only hands the line over (termios(3), VEOF).
      if (isRunning && !isAtLineStart) pty.write(endOfTransmission);
      if (isRunning) pty.write(endOfTransmission);
      callback();
    },
  });
  void exited.then(() => stdin.destroy());
  if (program.stdin === "null") stdin.end();
  return {
    pid: pty.pid,
    stdin,
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

function openTerminal(program: LocalPtyProgram, library: PtyModule): Pty {
  try {
    return library.spawn(program.file, [...program.args], {
      name: program.env["TERM"] ?? "xterm-256color",
      cols: program.size.columns,
      rows: program.size.rows,
      env: { ...program.env },
      encoding: null,
      ...(program.cwd !== undefined && { cwd: program.cwd }),
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
}

// The library reports this machine's numbers, which are not everywhere those of Linux.
function localSignalName(number: number): SignalName | null {
  const names = Object.entries(constants.signals) as [SignalName, number][];
  return names.find(([, value]) => value === number)?.[0] ?? null;
}
