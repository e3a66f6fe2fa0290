import type { Command, Environment, Exit, SpawnOptions } from "@anyproc/core";
import { forwardSignals } from "./forward-signals.ts";

/** Runs a command on another machine's streams, which ours are joined with. */
export async function runAttached(environment: Environment, command: Command, options: SpawnOptions): Promise<Exit> {
  const running = environment.create(command, options);
  running.attachStdout(process.stdout);
  running.attachStderr(process.stderr);
  const stopForwarding = forwardSignals(running);
  try {
    await running.start();
    running.attachStdin(process.stdin);
    return await running.wait();
  } finally {
    stopForwarding();
    // An open stdin would keep this process alive after the program has gone.
    process.stdin.destroy();
  }
}
