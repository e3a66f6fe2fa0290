import type { Readable, Writable } from "node:stream";
import { type Command, checkPtySize, type PtySize, programName } from "../command.ts";
import type { SpawnOptions } from "../environment.ts";
import { AnyprocError, unsupported } from "../errors.ts";
import { type Exit, exitCodeOf } from "../exit.ts";
import { type SignalName, signalNumber } from "../signals.ts";
import { Input } from "./input.ts";
import { readLines } from "./lines.ts";
import { Output } from "./output.ts";
import type { AttachOptions, LinesOptions, Process } from "./process.ts";
import type { EndOptions, ProgramExit, RunningProgram, Starter } from "./starter.ts";

// Once a tree has been ended, a stream that stays silent this long is held by something that escaped it.
const silenceAfterEndMs = 500;

/** The whole process interface over a starter, "run this program now". Made by defineEnvironment(). */
export class ManagedProcess implements Process {
  readonly command: Command;
  readonly #starter: Starter;
  readonly #options: SpawnOptions;
  readonly #endOptions: EndOptions;
  readonly #output: Output = new Output();
  readonly #errors: Output = new Output();
  #input: Input | undefined;
  #stdout: Readable | undefined;
  #stderr: Readable | undefined;
  #running: RunningProgram | undefined;
  readonly #startGivenUp: AbortController = new AbortController();
  #started: Promise<RunningProgram> | undefined;
  #ended: Promise<Exit> | undefined;
  #ending: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #inputFailure: AnyprocError | undefined;
  #exitCode: number | undefined;
  #timedOut = false;
  #aborted = false;

  constructor(starter: Starter, command: Command, options: SpawnOptions = {}) {
    const { killSignal = "SIGTERM", forceKillAfterMs = 5000, timeoutMs } = options;
    checkSignal(killSignal, "killSignal");
    checkDuration(forceKillAfterMs, "forceKillAfterMs");
    if (timeoutMs !== undefined) checkDuration(timeoutMs, "timeoutMs");
    this.command = command;
    this.#starter = starter;
    this.#options = options;
    this.#endOptions = { killSignal, forceKillAfterMs };
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  get stdin(): Writable {
    return this.#connectedInput();
  }

  get stdout(): Readable {
    this.#stdout ??= this.#output.fork();
    return this.#stdout;
  }

  get stderr(): Readable {
    this.#stderr ??= this.#errors.fork();
    return this.#stderr;
  }

  attachStdin(source: Readable): void {
    this.#connectedInput().feed(source);
  }

  attachStdout(sink: Writable, options?: AttachOptions): void {
    this.#output.attach(sink, options);
  }

  attachStderr(sink: Writable, options?: AttachOptions): void {
    this.#errors.attach(sink, options);
  }

  forkStdout(): Readable {
    return this.#output.fork();
  }

  forkStderr(): Readable {
    return this.#errors.fork();
  }

  lines(options: LinesOptions = {}): AsyncGenerator<string, void, undefined> {
    const output = options.from === "stderr" ? this.#errors : this.#output;
    return readForkedLines(output, output.fork());
  }

  async start(): Promise<void> {
    if (this.#started) {
      throw new AnyprocError("ANYPROC_ALREADY_RUNNING", `${this.#name}: started already; create another process`);
    }
    if (this.#closed) throw new AnyprocError("ANYPROC_CLOSED", `${this.#name}: closed before it was started`);
    this.#started = this.#start();
    this.#ended = this.#started.then((running) => this.#settle(running));
    this.#ended.catch(() => {});
    await this.#started;
  }

  wait(): Promise<Exit> {
    if (!this.#ended) return Promise.reject(this.#notRunning("waited for"));
    this.#output.discardUnread();
    this.#errors.discardUnread();
    return this.#ended;
  }

  async signal(name: SignalName): Promise<void> {
    checkSignal(name, "signal");
    if (!this.#started) throw this.#notRunning("signalled");
    const running = await this.#started;
    if (this.#exitCode === undefined) await running.signal(name);
  }

  async kill(): Promise<void> {
    if (!this.#started) throw this.#notRunning("killed");
    const running = await this.#startedInTime(this.#started);
    // Once it has ended, its id may be another program's.
    if (this.#exitCode === undefined) await running.end({ killSignal: "SIGKILL", forceKillAfterMs: 0 });
    this.#cutOff();
  }

  resize(size: Required<PtySize>): void {
    if (!this.command.pty || !this.#running) {
      throw unsupported(this.#name, "resize", "run the command with `pty`, and resize it after the start");
    }
    checkPtySize(size);
    // A program that could not be started has no terminal.
    this.#running.resize?.(size);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #name(): string {
    return programName(this.command);
  }

  #notRunning(what: string): AnyprocError {
    return new AnyprocError("ANYPROC_NOT_RUNNING", `${this.#name}: never started, so it cannot be ${what}`);
  }

  #connectedInput(): Input {
    if (!this.#input) {
      this.#input = new Input((error) => this.#failInput(error));
      if (this.#running) this.#input.connect(this.#running.stdin);
    }
    return this.#input;
  }

  #failInput(error: Error): void {
    if (this.#exitCode !== undefined) return;
    this.#inputFailure ??= new AnyprocError(
      "ANYPROC_INPUT_FAILED",
      `${this.#name}: what was attached to its stdin failed, so it was ended: ${error.message}: run it again when that ` +
        "can be read to its end",
      { cause: error },
    );
    if (this.#started) void this.#end();
  }

  async #start(): Promise<RunningProgram> {
    const { signal, timeoutMs } = this.#options;
    let running: RunningProgram;
    try {
      signal?.throwIfAborted();
      if (this.#inputFailure) throw this.#inputFailure;
      running = await this.#launch();
    } catch (error) {
      this.#disconnect();
      throw error;
    }
    this.#running = running;
    // A program may close its stdin while it is being written to: the Input notices by "close".
    running.stdin?.on("error", () => {});
    this.#input?.connect(running.stdin);
    this.#output.connect(running.stdout);
    this.#errors.connect(running.stderr);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            this.#timedOut = this.#exitCode === undefined;
            void this.#end();
          }, timeoutMs);
    const onAbort = (): void => {
      this.#aborted = this.#exitCode === undefined;
      void this.#end();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const ended = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    void running.exited.then((exit) => {
      this.#exitCode = exitCodeOf(exit.code, exit.signal);
      // The limit holds for the output too, but it alone is nothing to stay alive for.
      timer?.unref();
    }, ended);
    void Promise.all([running.exited, this.#output.delivered, this.#errors.delivered]).then(ended, ended);
    return running;
  }

  /**
   * Runs the starter. When time runs out meanwhile, or somebody aborts, the start is given as long as a tree is given to
   * stop. A program that has not come by then counts as one that was ended.
   */
  async #launch(): Promise<RunningProgram> {
    const { signal, timeoutMs } = this.#options;
    let late: AnyprocError | undefined;
    let patience: NodeJS.Timeout | undefined;
    const giveUpLater = (reason: unknown): void => {
      patience ??= this.#giveUpLater(reason);
    };
    const onAbort = (): void => giveUpLater(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const onTimeout = (): void => {
      late = new AnyprocError("ANYPROC_CLOSED", `${this.#name}: not started within ${timeoutMs} ms`);
      giveUpLater(late);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
    try {
      return await this.#starter(this.command, this.#startGivenUp.signal);
    } catch (error) {
      if (!late || error !== late) throw error;
      this.#timedOut = true;
      return endedBefore(this.#endOptions.killSignal);
    } finally {
      clearTimeout(timer);
      clearTimeout(patience);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** The program, for somebody who ends it: a start that does not come is given up in the same way. */
  async #startedInTime(started: Promise<RunningProgram>): Promise<RunningProgram> {
    if (this.#running) return this.#running;
    const reason = `${this.#name}: ended before it had started`;
    const patience = this.#giveUpLater(new AnyprocError("ANYPROC_CLOSED", reason));
    try {
      return await started;
    } finally {
      clearTimeout(patience);
    }
  }

  #giveUpLater(reason: unknown): NodeJS.Timeout {
    return setTimeout(() => this.#startGivenUp.abort(reason), this.#endOptions.forceKillAfterMs);
  }

  async #settle(running: RunningProgram): Promise<Exit> {
    const exit: ProgramExit = await running.exited;
    await this.#output.delivered;
    await this.#errors.delivered;
    await this.#ending;
    this.#input?.destroy();
    if (this.#inputFailure) throw this.#inputFailure;
    return {
      code: exit.code,
      signal: exit.signal,
      exitCode: exitCodeOf(exit.code, exit.signal),
      timedOut: this.#timedOut,
      aborted: this.#aborted,
      ...(exit.outOfMemory && { outOfMemory: true }),
    };
  }

  /** Ends the tree, once, and stops waiting for streams that something out of reach keeps open. */
  #end(): Promise<void> {
    this.#ending ??= (async () => {
      const running = await this.#started;
      if (this.#exitCode === undefined) await running?.end(this.#endOptions);
      this.#cutOff();
    })().catch(() => {});
    return this.#ending;
  }

  #cutOff(): void {
    this.#output.cutOffWhenSilent(silenceAfterEndMs);
    this.#errors.cutOffWhenSilent(silenceAfterEndMs);
  }

  async #close(): Promise<void> {
    if (!this.#started) {
      this.#disconnect();
      return;
    }
    const running = await this.#startedInTime(this.#started).catch(() => undefined);
    if (!running) return;
    if (this.#exitCode === undefined) running.stdin?.end();
    await this.#end();
    this.#output.discardUnread();
    this.#errors.discardUnread();
    // A program that was lost sight of is none that close() could still end.
    await this.#ended?.catch(() => {});
  }

  #disconnect(): void {
    this.#input?.connect(null);
    this.#output.connect(null);
    this.#errors.connect(null);
  }
}

/** A program that was ended before there was anything to see of it. */
function endedBefore(signal: SignalName): RunningProgram {
  return {
    stdin: null,
    stdout: null,
    stderr: null,
    exited: Promise.resolve({ code: null, signal }),
    signal: () => {},
    end: async () => {},
  };
}

async function* readForkedLines(output: Output, fork: Readable): AsyncGenerator<string, void, undefined> {
  let isAtEnd = false;
  try {
    yield* readLines(fork);
    isAtEnd = true;
  } finally {
    // Who leaves the loop early has seen enough, for instance "listening": the program shall go on.
    if (!isAtEnd) output.keepOpen();
    fork.destroy();
  }
}

function checkSignal(name: string, option: string): void {
  if (signalNumber(name) === undefined) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `${option}: no signal is called ${name}: give a name from signal(7), such as SIGTERM`,
    );
  }
}

function checkDuration(value: number, option: string): void {
  // setTimeout's own limit: a longer delay would fire at once.
  if (typeof value !== "number" || !(value >= 0 && value <= 2 ** 31 - 1)) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `${option} is ${value}: give milliseconds between 0 and ${2 ** 31 - 1}`,
    );
  }
}
