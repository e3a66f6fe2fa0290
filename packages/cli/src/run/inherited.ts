import { Writable } from "node:stream";
import type { Command, Environment, Exit, SpawnOptions } from "@anyproc/core";
import { writeError } from "../output.ts";
import { forwardSignals } from "./forward-signals.ts";
import { terminalSignals } from "./terminal-signals.ts";

/** Runs a command on this process's own stdin, stdout and stderr: nothing is copied, and a terminal stays the user's. */
export async function runInherited(environment: Environment, command: Command, options: SpawnOptions): Promise<Exit> {
  const running = environment.create({ ...command, stdin: "inherit", stdout: "inherit", stderr: "inherit" }, options);
  // A program that could not be started says so here; one that runs writes to our stderr by itself.
  running.attachStderr(stderrSink());
  const sentByTerminal = terminalSignals();
  const stopForwarding = forwardSignals(running, { except: sentByTerminal });
  try {
    await running.start();
    return await running.wait();
  } finally {
    stopForwarding();
  }
}

function stderrSink(): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback): void {
      writeError(chunk);
      callback();
    },
  });
}
